"""Does a judge play the personas that it is given? It is interviewed as each of them.

    instruments (statements, keys: data)      wording (what a persona's own text gives away)
                    \\                         /
              asking -> administering (through the judge's own stack)
                              |
                        scales -> figures (validity, reliability, collapse; pure)
                              |
                          verdict -> stored (attached to every judgment of that judge)

`interviewing` goes through all of it.
"""
