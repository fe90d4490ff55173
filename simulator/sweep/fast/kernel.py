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
        measure[i * LANES + lane] = (
            FLEETING * y[MEASURES[i] * LANES + lane] if MEASURES[i] >= 0 else 0.0
        )


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
        take_levels(
            accepted, now, h, y, new, k1, k3, k4, k5, k6, k7, False, ago, none, none, level, seen
        )
        if watching:
            take_watched(
                accepted,
                h,
                y,
                new,
                k1,
                k3,
                k4,
                k5,
                k6,
                k7,
                between,
                p,
                reading,
                lowest,
                out,
                last,
                middle,
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
