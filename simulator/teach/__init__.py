"""The teaching page, live: runs that a class changes while it watches them.

`classroom` holds the runs and changes them, `messages` reads what the page asks, `server` answers
on the loopback address. What a run looks like to the page stands in `simulator.playback`.
"""
