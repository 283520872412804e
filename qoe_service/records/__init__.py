"""A run's judgments, written down as they are given, and given again without any judge.

    bench -> Recording -> answered (what was asked, what was said) -> run_file -> Replay

A line is what one request was answered, so that a crash loses a request whole or not at all. What
is kept is each case's own verdict: a group has had its effect on it already, so a replay needs no
groups. The same case may be judged differently later (by a lower tier during an outage, from the
cache the second time): the n-th time that it is asked for it gets the n-th verdict on it.
"""
