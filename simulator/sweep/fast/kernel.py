"""Dormand and Prince's method and extrapolated Euler steps for many patients side by side.

This text is joined by `assembled` with functions made from the equations (`prepare`, `rates`,
`watched`) and compiled. Steps, tolerances and extremes are those of `patient.integrator`,
`patient.quiet` and `recorder`, patient by patient: no lane waits for another, and what comes out
differs from a single run by rounding only. Arrays `[place, lane]`; a block has `LANES` lanes.
"""

# ruff: noqa: F821  (the names come with the text that this is joined to)
# mypy: ignore-errors


def compiled(function):
    """Replaced by numba's compiler where this text is joined."""
    return function


@compiled
def error_of_lanes(miss, y, new, measure, tolerance, error):
    """The worst error of each lane over what is allowed; see `integrator.worst`."""
    for at in range(SIZE * LANES):
        before, after, scale = abs(y[at]), abs(new[at]), measure[at]
        scale = before if before > scale else scale
        scale = after if after > scale else scale
        miss[at] = abs(miss[at]) / (tolerance * scale + NEGLIGIBLE)
    for lane in range(LANES):
        error[lane] = 0.0
    for i in range(SIZE):
        for lane in range(LANES):
            one = miss[i * LANES + lane]
            # so written, a miss that is no number counts as well, and stays
            error[lane] = error[lane] if one <= error[lane] else one
    for lane in range(LANES):
        error[lane] = error[lane] if error[lane] < HOPELESS else HOPELESS


@compiled
def spread(h, hs):
    """A number of each lane, at every place of the lane."""
    for i in range(SIZE):
        for lane in range(LANES):
            hs[i * LANES + lane] = h[lane]


@compiled
def take_over(accepted, old, new):
    """The new numbers in the place of the old ones, where accepted."""
    for i in range(SIZE):
        for lane in range(LANES):
            at = i * LANES + lane
            old[at] = new[at] if accepted[lane] else old[at]


@compiled
def stage2(y, h, out, k1):
    """y + h a₂₁ k₁"""
    for at in range(SIZE * LANES):
        out[at] = y[at] + h[at] * (A21 * k1[at])


@compiled
def stage3(y, h, out, k1, k2):
    """y + h (a₃₁ k₁ + a₃₂ k₂)"""
    for at in range(SIZE * LANES):
        out[at] = y[at] + h[at] * (A31 * k1[at] + A32 * k2[at])


@compiled
def stage4(y, h, out, k1, k2, k3):
    """And so on."""
    for at in range(SIZE * LANES):
        out[at] = y[at] + h[at] * (A41 * k1[at] + A42 * k2[at] + A43 * k3[at])


@compiled
def stage5(y, h, out, k1, k2, k3, k4):
    """And so on."""
    for at in range(SIZE * LANES):
        out[at] = y[at] + h[at] * (A51 * k1[at] + A52 * k2[at] + A53 * k3[at] + A54 * k4[at])


@compiled
def stage6(y, h, out, k1, k2, k3, k4, k5):
    """And so on."""
    for at in range(SIZE * LANES):
        rate = A61 * k1[at] + A62 * k2[at] + A63 * k3[at]
        rate += A64 * k4[at] + A65 * k5[at]
        out[at] = y[at] + h[at] * rate


@compiled
def last_stage(y, h, out, k1, k3, k4, k5, k6):
    """The state at the end of the step."""
    for at in range(SIZE * LANES):
        rate = B1 * k1[at] + B3 * k3[at] + B4 * k4[at]
        rate += B5 * k5[at] + B6 * k6[at]
        out[at] = y[at] + h[at] * rate


@compiled
def dense(s, h, a, b, p1, p3, p4, p5, p6, p7):
    """One number a share s of the way through a step; see `integrator.Step.at`."""
    r = 1.0 - s
    rise = b - a
    bulge = h * p1 - rise
    skew = rise - h * p7 - bulge
    rest = h * (D1 * p1 + D3 * p3 + D4 * p4 + D5 * p5 + D6 * p6 + D7 * p7)
    return a + s * (rise + r * (bulge + s * (skew + r * rest)))


@compiled
def hermite(s, h, a, b, p, q, ago, earlier, slope):
    """One number a share s of the way through a quiet step; see `quiet.QuietStep.at`."""
    r = 1.0 - s
    rise = b - a
    bulge = h * p - rise
    skew = rise - h * q - bulge
    value = a + s * (rise + r * (bulge + s * skew))
    if ago > 0.0:
        g = ago / h
        weight = (s * r / (g * (1.0 + g))) ** 2
        steepness = 2.0 * (1.0 + 2.0 * g) / (g * (1.0 + g))
        miss = earlier - a + g * (rise + (1.0 + g) * (bulge - g * skew))
        lean = h * slope - rise - (1.0 + 2.0 * g) * bulge + g * (2.0 + 3.0 * g) * skew
        value += weight * (miss + (s + g) * (lean + steepness * miss))
    return value


@compiled
def level_within(s, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope):
    """Amount over volume a share s of the way through a step of one lane."""
    if quiet:
        top = hermite(
            s, h, y[place * LANES + lane], new[place * LANES + lane], k1[place * LANES + lane], k7[place * LANES + lane],
            ago, before[place * LANES + lane], slope[place * LANES + lane],
        )  # fmt: skip
        below = hermite(
            s, h, y[lane], new[lane], k1[lane], k7[lane],
            ago, before[lane], slope[lane],
        )  # fmt: skip
        return top / below
    top = dense(
        s, h, y[place * LANES + lane], new[place * LANES + lane], k1[place * LANES + lane], k3[place * LANES + lane],
        k4[place * LANES + lane], k5[place * LANES + lane], k6[place * LANES + lane], k7[place * LANES + lane],
    )  # fmt: skip
    below = dense(
        s, h, y[lane], new[lane], k1[lane], k3[lane],
        k4[lane], k5[lane], k6[lane], k7[lane],
    )  # fmt: skip
    return top / below


@compiled
def lowest_level(h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope):
    """Golden-section search for the lowest level in a step: its value and where; see `recorder`."""
    low, high = 0.0, 1.0
    inner, outer = 1.0 - GOLDEN, GOLDEN
    at_inner = level_within(inner, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
    at_outer = level_within(outer, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
    while high - low > CLOSE_ENOUGH:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = level_within(inner, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = level_within(outer, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
    s = (low + high) / 2.0
    return level_within(s, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope), s


@compiled
def crossing(target, falls, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope):
    """The share of a step at which a level passes a target, by bisection."""
    low, high = 0.0, 1.0
    while high - low > CROSSED:
        middle = (low + high) / 2.0
        level = level_within(middle, h, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago, before, slope)
        if (level > target) == falls:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@compiled
def take_levels(accepted, t, h, y, new, k1, k3, k4, k5, k6, k7, quiet, ago, before, slope, level, seen):
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
            level[(2 * SOLUTES + i) * LANES + lane] += step * ((c0 + c1) / 2.0 + step * (d0 - d1) / 12.0)
            target = seen[i * LANES + lane]
            starts, ends = c0 < target, c1 < target
            level[(3 * SOLUTES + i) * LANES + lane] += step if starts and ends else 0.0
            lower = accepted[lane] and c1 < level[(4 * SOLUTES + i) * LANES + lane]
            level[(4 * SOLUTES + i) * LANES + lane] = c1 if lower else level[(4 * SOLUTES + i) * LANES + lane]
            level[(5 * SOLUTES + i) * LANES + lane] = t[lane] + step if lower else level[(5 * SOLUTES + i) * LANES + lane]
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
                        target, c0 > c1, step, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago[lane],
                        before, slope,
                    )  # fmt: skip
                    level[(3 * SOLUTES + i) * LANES + lane] += step * (share if c0 < target else 1.0 - share)
                if d0 < 0.0 and d1 > 0.0:
                    deepest = max(
                        (y[place * LANES + lane] + d0 * y[lane] * step) / y[lane],
                        (new[place * LANES + lane] - d1 * new[lane] * step) / new[lane],
                    )
                    if deepest < level[(4 * SOLUTES + i) * LANES + lane]:
                        value, share = lowest_level(
                            step, place, lane, quiet, y, new, k1, k3, k4, k5, k6, k7, ago[lane], before, slope
                        )
                        if value < level[(4 * SOLUTES + i) * LANES + lane]:
                            level[(4 * SOLUTES + i) * LANES + lane] = value
                            level[(5 * SOLUTES + i) * LANES + lane] = t[lane] + share * step
        for lane in range(LANES):
            if accepted[lane]:
                c1 = new[place * LANES + lane] / new[lane]
                level[i * LANES + lane] = c1
                level[(SOLUTES + i) * LANES + lane] = (k7[place * LANES + lane] - c1 * k7[lane]) / new[lane]


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
        between[i * LANES + lane] = dense(
            s, h, y[i * LANES + lane], new[i * LANES + lane], k1[i * LANES + lane], k3[i * LANES + lane], k4[i * LANES + lane],
            k5[i * LANES + lane], k6[i * LANES + lane], k7[i * LANES + lane],
        )  # fmt: skip


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
def take_watched(accepted, h, y, new, k1, k3, k4, k5, k6, k7, between, p, reading, lowest, out, last, middle):
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
            start, half, end = reading[which * LANES + lane], middle[which * LANES + lane], last[which * LANES + lane]
            if end < lowest[which * LANES + lane]:
                lowest[which * LANES + lane] = end
            if half < min(end, start):
                deepest = half - DEPTH * (max(end, start) - half)
                if deepest < lowest[which * LANES + lane]:
                    value = lowest_watched(which, lane, h[lane], y, new, k1, k3, k4, k5, k6, k7, between, p, out)
                    if value < lowest[which * LANES + lane]:
                        lowest[which * LANES + lane] = value
            reading[which * LANES + lane] = end


@compiled
def load_lane(lane, row, state, parameters, thresholds, levels, y, p, level, seen, measure):
    """Put a patient into a lane."""
    for i in range(SIZE):
        y[i * LANES + lane] = state[row, i]
    for i in range(PARAMETERS):
        p[i * LANES + lane] = parameters[row, i]
    for i in range(SOLUTES):
        seen[i * LANES + lane] = thresholds[row, i]
        for j in range(4):
            level[((2 + j) * SOLUTES + i) * LANES + lane] = levels[row, j, i]
    for i in range(SIZE):
        measure[i * LANES + lane] = FLEETING * y[MEASURES[i] * LANES + lane] if MEASURES[i] >= 0 else 0.0


@compiled
def store_lane(lane, row, state, levels, y, level):
    """Take a patient out of a lane."""
    for i in range(SIZE):
        state[row, i] = y[i * LANES + lane]
    for i in range(SOLUTES):
        for j in range(4):
            levels[row, j, i] = level[((2 + j) * SOLUTES + i) * LANES + lane]


@compiled
def explicit(
    rows, state, parameters, thresholds, levels, lows, begins, minutes, steps, failed,
    tolerance, watching,
):  # fmt: skip
    """Let patients live through one stretch each, by Dormand and Prince; see `integrator`.

    `rows`: which patients; of each, a row: `state`, `parameters`, `levels` [row, 4, solute] (area,
    minutes below, lowest, its time), `lows` [row, watched], when the stretch `begins`, its
    `minutes`, the length of the next step (`steps`), and whether it has `failed`.
    """
    y = np.zeros(SIZE * LANES)
    new = np.zeros(SIZE * LANES)
    between = np.zeros(SIZE * LANES)
    miss = np.zeros(SIZE * LANES)
    hs = np.zeros(SIZE * LANES)
    measure = np.zeros(SIZE * LANES)
    none = np.zeros(SIZE * LANES)
    k1 = np.zeros(SIZE * LANES)
    k2 = np.zeros(SIZE * LANES)
    k3 = np.zeros(SIZE * LANES)
    k4 = np.zeros(SIZE * LANES)
    k5 = np.zeros(SIZE * LANES)
    k6 = np.zeros(SIZE * LANES)
    k7 = np.zeros(SIZE * LANES)
    p = np.zeros(PARAMETERS * LANES)
    q = np.zeros((PREPARED + 1) * LANES)
    level = np.zeros(6 * SOLUTES * LANES)
    seen = np.zeros(SOLUTES * LANES)
    reading = np.zeros(WATCHED * LANES)
    lowest = np.zeros(WATCHED * LANES)
    out = np.zeros(WATCHED * LANES)
    last = np.zeros(WATCHED * LANES)
    middle = np.zeros(WATCHED * LANES)
    t = np.zeros(LANES)
    h = np.zeros(LANES)
    end = np.zeros(LANES)
    past = np.zeros(LANES)
    planned = np.zeros(LANES)
    error = np.zeros(LANES)
    ago = np.zeros(LANES)
    now = np.zeros(LANES)
    grow = np.zeros(LANES)
    shrink = np.zeros(LANES)
    row_of = np.full(LANES, -1)
    fresh = np.zeros(LANES, dtype=np.bool_)
    accepted = np.zeros(LANES, dtype=np.bool_)
    final = np.zeros(LANES, dtype=np.bool_)
    waiting = 0
    busy = 0
    while True:
        anew = False
        for lane in range(LANES):
            while row_of[lane] < 0 and waiting < len(rows):
                row = rows[waiting]
                waiting += 1
                load_lane(
                    lane, row, state, parameters, thresholds, levels, y, p, level, seen, measure
                )
                t[lane], end[lane], past[lane] = 0.0, minutes[row], 1e-4
                now[lane] = begins[row]
                h[lane] = min(steps[row], minutes[row])
                row_of[lane], fresh[lane] = row, True
                anew = True
                busy += 1
        if busy == 0:
            break
        if anew:
            for lane in range(LANES):
                if row_of[lane] < 0:  # an empty lane does what a busy one does
                    for other in range(LANES):
                        if row_of[other] >= 0:
                            for i in range(SIZE):
                                y[i * LANES + lane] = y[i * LANES + lane]
                            for i in range(PARAMETERS):
                                p[i * LANES + lane] = p[i * LANES + lane]
                            break
            prepare(y, p, q, fresh)
            rates(y, p, q, k1)
            if watching:
                watched(y, p, last)
            for lane in range(LANES):
                if fresh[lane]:
                    fresh[lane] = False
                    begin_levels(lane, now[lane], y, k1, level)
                    if watching:
                        for which in range(WATCHED):
                            reading[which * LANES + lane] = last[which * LANES + lane]
                            lowest[which * LANES + lane] = min(
                                lows[row_of[lane], which], last[which * LANES + lane]
                            )
        for lane in range(LANES):
            planned[lane] = h[lane]
            final[lane] = t[lane] + h[lane] >= end[lane] - SMALLEST_STEP
            if final[lane]:
                h[lane] = end[lane] - t[lane]
        spread(h, hs)
        stage2(y, hs, new, k1)
        rates(new, p, q, k2)
        stage3(y, hs, new, k1, k2)
        rates(new, p, q, k3)
        stage4(y, hs, new, k1, k2, k3)
        rates(new, p, q, k4)
        stage5(y, hs, new, k1, k2, k3, k4)
        rates(new, p, q, k5)
        stage6(y, hs, new, k1, k2, k3, k4, k5)
        rates(new, p, q, k6)
        last_stage(y, hs, new, k1, k3, k4, k5, k6)
        rates(new, p, q, k7)
        for at in range(SIZE * LANES):
            miss[at] = hs[at] * (
                E1 * k1[at] + E3 * k3[at] + E4 * k4[at] + E5 * k5[at] + E6 * k6[at] + E7 * k7[at]
            )
        error_of_lanes(miss, y, new, measure, tolerance, error)
        for lane in range(LANES):
            accepted[lane] = error[lane] <= 1.0 and row_of[lane] >= 0
            size = error[lane] if error[lane] > 1e-10 else 1e-10
            grow[lane] = SAFETY * to_the_power(size, GROWTH) * to_the_power(past[lane], STABILIZE)
            shrink[lane] = SAFETY * to_the_power(size, -1.0 / ORDER)
        take_levels(accepted, now, h, y, new, k1, k3, k4, k5, k6, k7, False, ago, none, none, level, seen)
        if watching:
            take_watched(
                accepted, h, y, new, k1, k3, k4, k5, k6, k7, between, p, reading, lowest, out, last, middle
            )
        take_over(accepted, y, new)
        take_over(accepted, k1, k7)
        for lane in range(LANES):
            row = row_of[lane]
            if row < 0:
                continue
            if accepted[lane]:
                past[lane] = max(error[lane], 1e-4)
                proposed = h[lane] * min(GROW_MOST, max(SHRINK_MOST, grow[lane]))
                now[lane] += h[lane]
                if final[lane]:
                    proposed = max(proposed, planned[lane])
                steps[row] = proposed
                done = final[lane]
                t[lane] += h[lane]
                h[lane] = proposed
                for i in range(INSIDE):
                    if not y[i * LANES + lane] >= -NEGLIGIBLE:
                        failed[row] = True
                if not y[lane] > 0.0:
                    failed[row] = True
            else:
                h[lane] *= max(SHRINK_MOST, shrink[lane])
                failed[row] |= not h[lane] >= SMALLEST_STEP
                done = False
            if done or failed[row]:
                store_lane(lane, row, state, levels, y, level)
                if watching:
                    for which in range(WATCHED):
                        lows[row, which] = lowest[which * LANES + lane]
                row_of[lane] = -1
                busy -= 1
