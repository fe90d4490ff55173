"""Extrapolated linearly implicit Euler steps between sessions, for many patients side by side.

Joined and compiled like `kernel`. A block starts together and its lanes share the steps for which a
Jacobian serves; each lane has its own step length. See `patient.quiet`.
"""

# ruff: noqa: F821  (the names come with the text that this is joined to)
# mypy: ignore-errors


def compiled(function):
    """Replaced by numba's compiler where this text is joined."""
    return function


@compiled
def take_jacobian(y, p, q, slope, nudged, moved, jacobian, wanted, nudge):
    """The rows of the fast pairs by differences, where wanted; see `quiet._jacobian`."""
    for c in range(WIDTH):
        place = COLUMNS[c]
        for at in range(SIZE * LANES):
            nudged[at] = y[at]
        for lane in range(LANES):
            nudge[lane] = NUDGE * abs(y[place * LANES + lane]) + SMALLEST_STEP
            nudged[place * LANES + lane] = y[place * LANES + lane] + nudge[lane]
        rates(nudged, p, q, moved)
        for row in range(2 * PAIRS):
            own = FAST[row] * LANES
            there = (row * WIDTH + c) * LANES
            for lane in range(LANES):
                value = (moved[own + lane] - slope[own + lane]) / nudge[lane]
                kept = jacobian[there + lane]
                jacobian[there + lane] = value if wanted[lane] else kept


@compiled
def take_part(y, p, q, slope, hs, h, parts, jacobian, inverse, added, at, ahead, move):
    """What so many parts of length h / parts add to the state; see `quiet._move`."""
    take_inverse(jacobian, h, 1.0 / parts, inverse)
    for i in range(SIZE * LANES):
        move[i] = hs[i] / parts * slope[i]
    add_fast(move, jacobian, inverse)
    for i in range(SIZE * LANES):
        added[i] = move[i]
    for _ in range(1, parts):
        for i in range(SIZE * LANES):
            at[i] = y[i] + added[i]
        rates(at, p, q, ahead)
        for i in range(SIZE * LANES):
            move[i] = hs[i] / parts * ahead[i]
        add_fast(move, jacobian, inverse)
        for i in range(SIZE * LANES):
            added[i] += move[i]


@compiled
def quiet(
    rows, state, parameters, thresholds, levels, begins, minutes, steps, failed, tolerance, longest
):
    """Let patients live through one quiet stretch each, at the end of their explicit steps.

    As `explicit`; `steps` holds the first lengths and gets the ones to go on with.
    """
    y = np.zeros(SIZE * LANES)
    new = np.zeros(SIZE * LANES)
    at = np.zeros(SIZE * LANES)
    ahead = np.zeros(SIZE * LANES)
    move = np.zeros(SIZE * LANES)
    miss = np.zeros(SIZE * LANES)
    added = np.zeros(SIZE * LANES)
    slope = np.zeros(SIZE * LANES)
    old = np.zeros(SIZE * LANES)
    old_slope = np.zeros(SIZE * LANES)
    measure = np.zeros(SIZE * LANES)
    moved = np.zeros(SIZE * LANES)
    p = np.zeros(PARAMETERS * LANES)
    q = np.zeros((PREPARED + 1) * LANES)
    jacobian = np.zeros(PAIRS * 2 * WIDTH * LANES)
    inverse = np.zeros(PAIRS * 4 * LANES)
    nudge = np.zeros(LANES)
    hs = np.zeros(SIZE * LANES)
    level = np.zeros(6 * SOLUTES * LANES)
    seen = np.zeros(SOLUTES * LANES)
    t = np.zeros(LANES)
    h = np.zeros(LANES)
    end = np.zeros(LANES)
    error = np.zeros(LANES)
    ago = np.zeros(LANES)
    now = np.zeros(LANES)
    fresh = np.zeros(LANES, dtype=np.bool_)
    accepted = np.zeros(LANES, dtype=np.bool_)
    final = np.zeros(LANES, dtype=np.bool_)
    busy = np.zeros(LANES, dtype=np.bool_)
    wanted = np.zeros(LANES, dtype=np.bool_)
    age = np.zeros(LANES, dtype=np.int64)
    for block in range(0, len(rows), LANES):
        count = min(LANES, len(rows) - block)
        for lane in range(LANES):
            row = rows[block + min(lane, count - 1)]
            load_lane(lane, row, state, parameters, thresholds, levels, y, p, level, seen, measure)
            t[lane], end[lane], ago[lane], now[lane] = 0.0, minutes[row], 0.0, begins[row]
            h[lane] = min(min(steps[row], FIRST_MOST), minutes[row])
            fresh[lane], busy[lane], age[lane] = True, lane < count, 0
        prepare(y, p, q, fresh)
        rates(y, p, q, slope)
        for lane in range(LANES):
            begin_levels(lane, now[lane], y, slope, level)
        left = count
        while left:
            stale = False
            for lane in range(LANES):
                final[lane] = t[lane] + h[lane] >= end[lane] - SMALLEST_STEP
                if final[lane]:
                    h[lane] = end[lane] - t[lane]
                wanted[lane] = busy[lane] and age[lane] == 0
                stale |= wanted[lane]
            if stale:
                take_jacobian(y, p, q, slope, at, moved, jacobian, wanted, nudge)
            spread(h, hs)
            for i in range(SIZE * LANES):
                new[i] = y[i]
                miss[i] = 0.0
            for n in range(len(PARTS)):
                take_part(
                    y, p, q, slope, hs, h, PARTS[n], jacobian, inverse, added, at, ahead, move
                )  # fmt: skip
                for i in range(SIZE * LANES):
                    new[i] += WEIGHTS[n] * added[i]
                    miss[i] += ERROR[n] * added[i]
            error_of_lanes(miss, y, new, measure, tolerance, error)
            for lane in range(LANES):
                accepted[lane] = error[lane] <= 1.0 and busy[lane]
            rates(new, p, q, ahead)
            take_levels(
                accepted,
                now,
                h,
                y,
                new,
                slope,
                slope,
                slope,
                slope,
                slope,
                ahead,
                True,
                ago,
                old,
                old_slope,
                level,
                seen,
            )
            take_over(accepted, old, y)
            take_over(accepted, old_slope, slope)
            take_over(accepted, y, new)
            take_over(accepted, slope, ahead)
            for lane in range(LANES):
                if not busy[lane]:
                    continue
                row = rows[block + lane]
                factor = SAFETY * max(error[lane], 1e-10) ** (-1.0 / QUIET_ORDER)
                factor = min(GROW_MOST, max(SHRINK_MOST, factor))
                if accepted[lane]:
                    steps[row] = min(h[lane] * factor, FIRST_MOST)
                    ago[lane] = h[lane]
                    now[lane] += h[lane]
                    t[lane] += h[lane]
                    busy[lane] = not final[lane]
                    for i in range(INSIDE):
                        if not y[i * LANES + lane] >= -NEGLIGIBLE:
                            failed[row] = True
                    if not y[lane] > 0.0:
                        failed[row] = True
                elif h[lane] * factor < SMALLEST_STEP:
                    failed[row] = True
                h[lane] = min(h[lane] * factor, longest)
                age[lane] = (age[lane] + 1) % OLDEST
                if failed[row]:
                    busy[lane] = False
                if not busy[lane]:
                    store_lane(lane, row, state, levels, y, level)
                    left -= 1
