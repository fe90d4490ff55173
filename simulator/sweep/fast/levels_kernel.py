"""What a step adds to levels, areas, days below and lowest readings; see `recorder`.

Joined and compiled like `kernel`.
"""

# ruff: noqa: F821  (the names come with the text that this is joined to)
# mypy: ignore-errors


def compiled(function):
    """Replaced by numba's compiler where this text is joined."""
    return function


@compiled
def number_within(s, h, at, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope):
    """One number of one lane, at its place in the arrays, a share s of the way through a step."""
    if quiet:
        return hermite(s, h, y[at], new[at], k1[at], k7[at], ago, before[at], slope[at])
    return dense(s, h, y[at], new[at], k1[at], k3[at], k4[at], k5[at], k6[at], k7[at])


@compiled
def level_within(
    s, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
):  # fmt: skip
    """Amount over volume a share s of the way through a step of one lane."""
    at = place * LANES + lane
    amount = number_within(s, h, at, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
    volume = number_within(s, h, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
    return amount / volume


@compiled
def lowest_level(h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope):
    """Golden-section search for the lowest level in a step: its value and where; see `recorder`."""
    low, high = 0.0, 1.0
    inner, outer = 1.0 - GOLDEN, GOLDEN
    at_inner = level_within(
        inner, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
    )
    at_outer = level_within(
        outer, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
    )
    while high - low > CLOSE_ENOUGH:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = level_within(
                inner, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
            )
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = level_within(
                outer, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
            )
    s = (low + high) / 2.0
    return level_within(
        s, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
    ), s


@compiled
def crossing(
    target, falls, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
):
    """The share of a step at which a level passes a target, by bisection."""
    low, high = 0.0, 1.0
    while high - low > CROSSED:
        middle = (low + high) / 2.0
        level = level_within(
            middle, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope
        )
        if (level > target) == falls:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@compiled
def take_levels(
    accepted, t, h, y, new, k1, k3, k4, k5, k6, k7, quiet, ago, before, slope, level, seen
):
    """What a step adds to area, time below, and lowest level of each solute; see `recorder`.

    `level`: [6, solute, lane]: the level at the beginning (over volume), its rate there, area,
    minutes below, lowest and its time; `seen`: [solute, lane] the threshold.
    """
    for i in range(SOLUTES):
        place = FIRST_SOLUTE + i
        special = 0
        for lane in range(LANES):
            c0, d0 = level[i * LANES + lane], level[(SOLUTES + i) * LANES + lane]
            volume = new[lane]
            c1 = new[place * LANES + lane] / volume
            d1 = (k7[place * LANES + lane] - c1 * k7[lane]) / volume
            step = h[lane] if accepted[lane] else 0.0
            level[(2 * SOLUTES + i) * LANES + lane] += step * (
                (c0 + c1) / 2.0 + step * (d0 - d1) / 12.0
            )
            target = seen[i * LANES + lane]
            starts, ends = c0 < target, c1 < target
            level[(3 * SOLUTES + i) * LANES + lane] += step if starts and ends else 0.0
            lower = accepted[lane] and c1 < level[(4 * SOLUTES + i) * LANES + lane]
            level[(4 * SOLUTES + i) * LANES + lane] = (
                c1 if lower else level[(4 * SOLUTES + i) * LANES + lane]
            )
            level[(5 * SOLUTES + i) * LANES + lane] = (
                t[lane] + step if lower else level[(5 * SOLUTES + i) * LANES + lane]
            )
            turns = d0 < 0.0 and d1 > 0.0
            special += 1 if accepted[lane] and (turns or starts != ends) else 0
        if special:
            for lane in range(LANES):
                if not accepted[lane]:
                    continue
                c0, d0, step = level[i * LANES + lane], level[(SOLUTES + i) * LANES + lane], h[lane]
                c1 = new[place * LANES + lane] / new[lane]
                d1 = (k7[place * LANES + lane] - c1 * k7[lane]) / new[lane]
                target = seen[i * LANES + lane]
                if (c0 < target) != (c1 < target):
                    share = crossing(
                        target, c0 > c1, step, place, lane, quiet,
                        y, new, k1, k3, k4, k5, k6, k7, ago[lane],
                        before, slope,
                    )  # fmt: skip
                    level[(3 * SOLUTES + i) * LANES + lane] += step * (
                        share if c0 < target else 1.0 - share
                    )
                if d0 < 0.0 and d1 > 0.0:
                    deepest = max(
                        (y[place * LANES + lane] + d0 * y[lane] * step) / y[lane],
                        (new[place * LANES + lane] - d1 * new[lane] * step) / new[lane],
                    )
                    if deepest < level[(4 * SOLUTES + i) * LANES + lane]:
                        value, share = lowest_level(
                            step,
                            place,
                            lane,
                            quiet,
                            y,
                            new,
                            k1,
                            k3,
                            k4,
                            k5,
                            k6,
                            k7,
                            ago[lane],
                            before,
                            slope,
                        )
                        if value < level[(4 * SOLUTES + i) * LANES + lane]:
                            level[(4 * SOLUTES + i) * LANES + lane] = value
                            level[(5 * SOLUTES + i) * LANES + lane] = t[lane] + share * step
        for lane in range(LANES):
            if accepted[lane]:
                c1 = new[place * LANES + lane] / new[lane]
                level[i * LANES + lane] = c1
                level[(SOLUTES + i) * LANES + lane] = (
                    k7[place * LANES + lane] - c1 * k7[lane]
                ) / new[lane]


@compiled
def begin_levels(lane, t, y, k1, level):
    """The levels with which a stretch begins, and how they change."""
    for i in range(SOLUTES):
        place = FIRST_SOLUTE + i
        c = y[place * LANES + lane] / y[lane]
        level[i * LANES + lane] = c
        level[(SOLUTES + i) * LANES + lane] = (k1[place * LANES + lane] - c * k1[lane]) / y[lane]
        if c < level[(4 * SOLUTES + i) * LANES + lane]:
            level[(4 * SOLUTES + i) * LANES + lane] = c
            level[(5 * SOLUTES + i) * LANES + lane] = t


@compiled
def watch_within(s, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p):
    """What is watched, a share s of the way through a step of one lane."""
    for i in WATCHED_PLACES:
        at = i * LANES + lane
        between[at] = dense(s, h, y[at], new[at], k1[at], k3[at], k4[at], k5[at], k6[at], k7[at])


@compiled
def lowest_watched(which, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p, out):
    """Golden-section search for the lowest of one watched reading in a step."""
    low, high = 0.0, 1.0
    inner, outer = 1.0 - GOLDEN, GOLDEN
    watch_within(inner, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p)
    watched_one(between, p, out, lane)
    at_inner = out[which * LANES + lane]
    watch_within(outer, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p)
    watched_one(between, p, out, lane)
    at_outer = out[which * LANES + lane]
    while high - low > CLOSE_ENOUGH:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            watch_within(inner, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p)
            watched_one(between, p, out, lane)
            at_inner = out[which * LANES + lane]
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            watch_within(outer, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p)
            watched_one(between, p, out, lane)
            at_outer = out[which * LANES + lane]
    watch_within((low + high) / 2.0, lane, h, y, new, k1, k3, k4, k5, k6, k7, between, p)
    watched_one(between, p, out, lane)
    return out[which * LANES + lane]


@compiled
def take_watched(
    accepted, h, y, new, k1, k3, k4, k5, k6, k7, between, p, reading, lowest, out, last, middle
):
    """The lowest of what is watched during a session; see `recorder.Recorder.see`."""
    for i in WATCHED_PLACES:
        for lane in range(LANES):
            a, b = y[i * LANES + lane], new[i * LANES + lane]
            rise = b - a
            bulge = h[lane] * k1[i * LANES + lane] - rise
            skew = rise - h[lane] * k7[i * LANES + lane] - bulge
            rest = h[lane] * (
                D1 * k1[i * LANES + lane] + D3 * k3[i * LANES + lane] + D4 * k4[i * LANES + lane]
                + D5 * k5[i * LANES + lane] + D6 * k6[i * LANES + lane] + D7 * k7[i * LANES + lane]
            )  # fmt: skip
            between[i * LANES + lane] = a + 0.5 * (rise + 0.5 * (bulge + 0.5 * (skew + 0.5 * rest)))
    watched(between, p, middle)
    watched(new, p, last)
    for which in range(WATCHED):
        for lane in range(LANES):
            if not accepted[lane]:
                continue
            start, half, end = (
                reading[which * LANES + lane],
                middle[which * LANES + lane],
                last[which * LANES + lane],
            )
            if end < lowest[which * LANES + lane]:
                lowest[which * LANES + lane] = end
            if half < min(end, start):
                deepest = half - DEPTH * (max(end, start) - half)
                if deepest < lowest[which * LANES + lane]:
                    value = lowest_watched(
                        which, lane, h[lane], y, new, k1, k3, k4, k5, k6, k7, between, p, out
                    )
                    if value < lowest[which * LANES + lane]:
                        lowest[which * LANES + lane] = value
            reading[which * LANES + lane] = end
