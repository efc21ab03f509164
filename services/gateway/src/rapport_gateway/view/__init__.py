"""The unified view as a pure function of facts: sections that fold facts into partials and render them.

State is order-free: registers keep their highest sequence, counters count facts that are new, lists are the top of
an order. So any arrival order of the same facts gives the same sections, byte for byte.
"""
