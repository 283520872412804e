"""The judges' self-examination: do they judge as they did, alone as in company, and nobody's order?

    golden (what is judged)    probes (what may talk to a judge)
                   \\            /
           hearing, obedience (ask a judge that remembers nothing)
                       |
           figures (differences, odds, movements; pure)
                       |
           verdicts  <-  stored (what it said before)

`checking` goes through all of it for a tier; `refresh` stores what the shipped judges say.
"""
