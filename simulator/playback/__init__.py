"""A run as a page plays it: what the machine does between any two moments, as plain data.

`watched` lives through a run and notes the machine, `recording` says it in the words of the page
(`web/src/protocol.ts`), `offer` what can be done from there, `page` holds the page itself.
"""
