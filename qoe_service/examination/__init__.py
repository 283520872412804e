"""The judges' self-examination: do they judge as they did, alone as in company, and nobody's order?

golden (what is judged)    probes (what may talk to a judge)
      \\                    /
       hearing (asks a judge that remembers nothing)
                |
  comparison, discrimination, obedience (figures; pure)
                |
       checking (verdicts)  <- stored (what it said before)
"""
