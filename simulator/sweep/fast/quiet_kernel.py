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
def take_jacobian(y, p, q, slope, nudged, moved, jacobian, wanted):
    """The rows of the fast pairs by differences, where wanted; see `quiet._jacobian`."""
    for c in range(len(COLUMNS)):
        place = COLUMNS[c]
        for i in range(SIZE):
            for lane in range(LANES):
                nudged[i * LANES + lane] = y[i * LANES + lane]
        for lane in range(LANES):
            nudged[place * LANES + lane] = y[place * LANES + lane] + (NUDGE * abs(y[place * LANES + lane]) + SMALLEST_STEP)
        rates(nudged, p, q, moved)
        for pair in range(PAIRS):
            for one in range(2):
                own = FELT[pair, one]
                for lane in range(LANES):
                    nudge = NUDGE * abs(y[place * LANES + lane]) + SMALLEST_STEP
                    value = (moved[own * LANES + lane] - slope[own * LANES + lane]) / nudge
                    jacobian[((pair * 2 + one) * WIDTH + c) * LANES + lane] = (
                        value if wanted[lane] else jacobian[((pair * 2 + one) * WIDTH + c) * LANES + lane]
                    )


@compiled
def take_part(y, p, q, slope, h, parts, jacobian, added, at, ahead, move):
    """What so many parts of length h / parts add to the state; see `quiet._move`."""
    for part in range(parts):
        if part:
            for i in range(SIZE):
                for lane in range(LANES):
                    at[i * LANES + lane] = y[i * LANES + lane] + added[i * LANES + lane]
            rates(at, p, q, ahead)
        for i in range(SIZE):
            for lane in range(LANES):
                rate = ahead[i * LANES + lane] if part else slope[i * LANES + lane]
                move[i * LANES + lane] = h[lane] / parts * rate
        for pair in range(PAIRS):
            first_place, second_place = FELT[pair, 0], FELT[pair, 1]
            first_column, second_column = COLUMN_OF[pair, 0], COLUMN_OF[pair, 1]
            for lane in range(LANES):
                size = h[lane] / parts
                a = size * jacobian[((pair * 2 + 0) * WIDTH + first_column) * LANES + lane]
                b = size * jacobian[((pair * 2 + 0) * WIDTH + second_column) * LANES + lane]
                c = size * jacobian[((pair * 2 + 1) * WIDTH + first_column) * LANES + lane]
                d = size * jacobian[((pair * 2 + 1) * WIDTH + second_column) * LANES + lane]
                first, second = 0.0, 0.0
                for f in range(FEELS[pair]):
                    felt = move[FELT[pair, f] * LANES + lane]
                    first += jacobian[((pair * 2 + 0) * WIDTH + COLUMN_OF[pair, f]) * LANES + lane] * felt
                    second += jacobian[((pair * 2 + 1) * WIDTH + COLUMN_OF[pair, f]) * LANES + lane] * felt
                scale = size / ((1.0 - a) * (1.0 - d) - b * c)
                move[first_place * LANES + lane] += (1.0 - d) * scale * first + b * scale * second
                move[second_place * LANES + lane] += c * scale * first + (1.0 - a) * scale * second
        if part:
            for i in range(SIZE):
                for lane in range(LANES):
                    added[i * LANES + lane] += move[i * LANES + lane]
        else:
            for i in range(SIZE):
                for lane in range(LANES):
                    added[i * LANES + lane] = move[i * LANES + lane]


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
                take_jacobian(y, p, q, slope, at, moved, jacobian, wanted)
            for i in range(SIZE):
                for lane in range(LANES):
                    new[i * LANES + lane] = y[i * LANES + lane]
                    miss[i * LANES + lane] = 0.0
            for n in range(len(PARTS)):
                take_part(y, p, q, slope, h, PARTS[n], jacobian, added, at, ahead, move)
                for i in range(SIZE):
                    for lane in range(LANES):
                        new[i * LANES + lane] += WEIGHTS[n] * added[i * LANES + lane]
                        miss[i * LANES + lane] += ERROR[n] * added[i * LANES + lane]
            error_of_lanes(miss, y, new, measure, tolerance, error)
            for lane in range(LANES):
                accepted[lane] = error[lane] <= 1.0 and busy[lane]
            rates(new, p, q, ahead)
            take_levels(
                accepted, now, h, y, new, slope, slope, slope, slope, slope, ahead, True, ago, old, old_slope, level, seen
            )
            for i in range(SIZE):
                for lane in range(LANES):
                    go = accepted[lane]
                    old[i * LANES + lane] = y[i * LANES + lane] if go else old[i * LANES + lane]
                    old_slope[i * LANES + lane] = slope[i * LANES + lane] if go else old_slope[i * LANES + lane]
                    y[i * LANES + lane] = new[i * LANES + lane] if go else y[i * LANES + lane]
                    slope[i * LANES + lane] = ahead[i * LANES + lane] if go else slope[i * LANES + lane]
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
                    age[lane] = (age[lane] + 1) % OLDEST
                    busy[lane] = not final[lane]
                    for i in range(INSIDE):
                        if not y[i * LANES + lane] >= -NEGLIGIBLE:
                            failed[row] = True
                    if not y[lane] > 0.0:
                        failed[row] = True
                elif h[lane] * factor < SMALLEST_STEP:
                    failed[row] = True
                h[lane] = min(h[lane] * factor, longest)
                if failed[row]:
                    busy[lane] = False
                if not busy[lane]:
                    store_lane(lane, row, state, levels, y, level)
                    left -= 1
