"""PEX-28 by several engines, side by side in one process: times, ratios, errors.

    python benchmarks/engines.py [--repeats N] [--patients N] [--out FOLDER]

Ours are the program's own: the interpreted integrators of single runs and the kernels of sweeps.
Others: SciPy's LSODA with a Python right-hand side, scalar C (Dormand and Prince, one patient at a
time, gcc -O3 -march=native), libRoadRunner (SBML with events, two outputs asked for; its time has
6 % for setting each patient's parameters from Python). All run on one thread, interleaved; medians,
and least to most. Errors are the largest over all patients that a contender runs, and over all
final states but citrate, relative to lanes at 1e-11, which are held against Radau's method first.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import pex28
from pex28 import FLOWS, NAMES, at_rest, defaults, flows_of, make, segments

from simulator.patient import integrator, quiet

Finals = np.ndarray[Any, Any]
SIZE = len(NAMES)
PAIRS = tuple(quiet.Pair(felt) for felt in pex28.PAIRS_FELT)


@dataclass
class Contender:
    """One engine: what it gives for some patients, and how long it takes for each of them."""

    name: str
    run: Callable[[int], Finals]
    """Final states of the first so many patients."""
    patients: int
    seconds: list[float] = field(default_factory=list)
    """By patient."""
    error: float = float("nan")


TYPICAL = {
    "C_AB": 0.05, "C_IG": 10.0, "C_FB": 3.0, "k0": 0.17 / 24, "TER_IG": 0.03, "kfb": 0.25 / 24,
    "kcit": 1.2,
}  # fmt: skip
"""What differs between patients by 15 %, besides weight, hematocrit and dose."""


def population(count: int, seed: int = 7) -> list[dict[str, float]]:
    """Patients around the default one, who comes first."""
    luck = np.random.default_rng(seed)
    people = [defaults()]
    while len(people) < count:
        spread = {
            key: value * float(np.exp(0.15 * luck.standard_normal()))
            for key, value in TYPICAL.items()
        }
        people.append(
            defaults(
                weight=float(np.clip(70 * np.exp(0.2 * luck.standard_normal()), 40, 130)),
                hematocrit=float(np.clip(0.40 + 0.03 * luck.standard_normal(), 0.28, 0.52)),
                dose=float(luck.uniform(1.0, 1.25)),
                **spread,
            )
        )
    return people


def interpreted(people: list[dict[str, float]], tolerance: float) -> Callable[[int], Finals]:
    """The integrators of single runs, as they are."""
    plan = segments()

    def run(count: int) -> Finals:
        finals = np.empty((count, SIZE))
        for row in range(count):
            p, y, time_, step = people[row], at_rest(people[row]), 0.0, 1.0
            for minutes, per_liter in plan:
                rates = make({**p, **flows_of(per_liter, p["qs"])}, y)
                settled = min(minutes, quiet.SETTLING)
                long = minutes >= 2 * quiet.SETTLING
                end = time_ + (settled if long else minutes)
                for taken, _, following in integrator.integrate(
                    rates, y, time_, end, step, tolerance
                ):
                    y, step = taken.after, following
                if long:
                    stop = time_ + minutes
                    for taken, _, following in quiet.extrapolate(
                        rates, y, end, stop, step, quiet.LENIENCE * tolerance, PAIRS
                    ):
                        y, step = taken.after, following
                time_ += minutes
            finals[row] = y
        return finals

    return run


def by_scipy(
    people: list[dict[str, float]], method: str, rtol: float, atol: float
) -> Callable[[int], Finals]:
    """SciPy's `solve_ivp` with a Python right-hand side, started anew at every stretch."""
    from scipy.integrate import solve_ivp

    plan = segments()

    def run(count: int) -> Finals:
        finals = np.empty((count, SIZE))
        for row in range(count):
            p, y = people[row], np.array(at_rest(people[row]))
            for minutes, per_liter in plan:
                rates = make({**p, **flows_of(per_liter, p["qs"])}, y.tolist())
                found = solve_ivp(
                    lambda _, state, f=rates: f(state.tolist()), (0.0, minutes), y,
                    method=method, rtol=rtol, atol=atol,
                )  # fmt: skip
                y = found.y[:, -1]
            finals[row] = y
        return finals

    return run


def lanes(people: list[dict[str, float]], tolerance: float) -> Callable[[int], Finals]:
    """The kernels of sweeps, made from the same rates; every patient with steps of his own."""
    from simulator.sweep.fast.assembled import Made, module_of
    from simulator.sweep.fast.written import rates_text, reading_text

    names = [*people[0], *FLOWS]
    some = {name: 0.5 + 0.01 * i for i, name in enumerate(names)}
    state = [2.0 + 0.1 * i for i in range(SIZE)]
    text = rates_text(SIZE, some, state, make)

    def watched(p: Any, y: Any) -> Any:
        return y[0], pex28.ionized(y, p["Kd"])

    made = Made(
        text=text.text + "\n" + reading_text("watched", SIZE, some, state, watched),
        size=SIZE, inside=SIZE, parameters=len(names), prepared=text.prepared, solutes=4,
        first_solute=3, measures=(-1,) * SIZE, watched=2, watched_places=(0, 1, 2), pairs=PAIRS,
    )  # fmt: skip
    kernel = module_of(made)
    plan = segments()
    constants = np.array([[p[name] for name in people[0]] for p in people])
    doses = np.array([p["qs"] for p in people])
    rest = np.array([at_rest(p) for p in people])

    def run(count: int) -> Finals:
        rows = np.arange(count)
        state = rest[:count].copy()
        parameters = np.hstack([constants[:count], np.zeros((count, len(FLOWS)))])
        thresholds = np.zeros((count, 4))
        levels = np.zeros((count, 4, 4))
        levels[:, 2] = 1e300
        lows = np.full((count, 2), 1e300)
        now, steps = np.zeros(count), np.ones(count)
        failed = np.zeros(count, dtype=np.bool_)
        for minutes, per_liter in plan:
            parameters[:, -len(FLOWS) :] = doses[:count, None] * np.array(per_liter)
            long = minutes >= 2 * quiet.SETTLING
            first = quiet.SETTLING if long else minutes
            kernel.explicit(
                rows, state, parameters, thresholds, levels, lows, now, np.full(count, first),
                steps, failed, tolerance, any(per_liter),
            )  # fmt: skip
            now += first
            if long:
                kernel.quiet(
                    rows, state, parameters, thresholds, levels, now,
                    np.full(count, minutes - first), steps, failed, quiet.LENIENCE * tolerance,
                    quiet.LONGEST,
                )  # fmt: skip
                now += minutes - first
        assert not failed.any()
        return state

    run(min(32, len(people)))  # compiled before it is timed
    return run


C_TEXT = r"""
#include <math.h>
#define N 11
typedef struct { double Vp0,Vi,Vecf,k0,Fr,KF,kal,kfb,Kf,E,coth,cothi,kcit,Kd,kbone,Ca0,dP0,
  K1g,K1a,K1f,K2g,K2a,K2f,Sab,Sig,Sal,Sfb,Q,Qrep,Qin,alb,cit; } P;
static void f(const double*y,const P*p,double*d){
  double ca=y[3]/y[0],cg=y[4]/y[0],cl=y[5]/y[0],cf=y[6]/y[0];
  double ia=y[7]/p->Vi,ig=y[8]/p->Vi,il=y[9]/p->Vi,jf=y[10]/p->Vi;
  double fcr=p->k0*(1-p->Fr*p->KF/(p->KF+ca+cg));
  double xa=p->K1g*ca-p->K2g*ia,xg=p->K1g*cg-p->K2g*ig,xl=p->K1a*cl-p->K2a*il,xf=p->K1f*cf-p->K2f*jf;
  double c=0.1*(ca+cg+cl+cf)+p->coth,i=0.1*(ia+ig+il+jf)+p->cothi;
  double pull=c*(2.1+c*(0.16+0.009*c))-i*(2.1+i*(0.16+0.009*i));
  double b=y[2]+y[1]+p->Kd,ion=y[2]-(b-sqrt(b*b-4*y[2]*y[1]))/2;
  d[0]=(p->Qrep+p->Qin-p->Q+p->Kf*(pull-p->dP0-p->E*(y[0]-p->Vp0)))/60;
  d[1]=((p->cit-p->Q*y[1])/p->Vecf-p->kcit*y[1])/60;
  d[2]=(p->kbone*(p->Ca0-ion)-p->Q*y[2]/p->Vecf)/60;
  d[3]=(p->Sab-fcr*y[3]-xa-p->Q*ca)/60; d[4]=(p->Sig-fcr*y[4]-xg-p->Q*cg)/60;
  d[5]=(p->Sal-p->kal*y[5]-xl-p->Q*cl+p->alb)/60; d[6]=(p->Sfb-p->kfb*y[6]-xf-p->Q*cf)/60;
  d[7]=xa/60; d[8]=xg/60; d[9]=xl/60; d[10]=xf/60; }
int run(double*y,P*p,const double*seg,int n,double qs,double rtol,double atol){
  double k[7][N],u[N],v[N]; int steps=0; double h=1;
  for(int s=0;s<n;s++){ const double*g=seg+6*s; double t=0,T=g[0];
    p->Q=qs*g[1];p->Qrep=qs*g[2];p->Qin=qs*g[3];p->alb=qs*g[4];p->cit=qs*g[5];
    if(h>T)h=T; f(y,p,k[0]);
    while(t<T){ int last=t+h>=T-1e-10; double keep=h; if(last)h=T-t;
      for(int j=0;j<N;j++)u[j]=y[j]+h*(k[0][j]/5); f(u,p,k[1]);
      for(int j=0;j<N;j++)u[j]=y[j]+h*(3*k[0][j]/40+9*k[1][j]/40); f(u,p,k[2]);
      for(int j=0;j<N;j++)u[j]=y[j]+h*(44*k[0][j]/45-56*k[1][j]/15+32*k[2][j]/9); f(u,p,k[3]);
      for(int j=0;j<N;j++)u[j]=y[j]+h*(19372*k[0][j]/6561-25360*k[1][j]/2187+64448*k[2][j]/6561-212*k[3][j]/729); f(u,p,k[4]);
      for(int j=0;j<N;j++)u[j]=y[j]+h*(9017*k[0][j]/3168-355*k[1][j]/33+46732*k[2][j]/5247+49*k[3][j]/176-5103*k[4][j]/18656); f(u,p,k[5]);
      for(int j=0;j<N;j++)v[j]=y[j]+h*(35*k[0][j]/384+500*k[2][j]/1113+125*k[3][j]/192-2187*k[4][j]/6784+11*k[5][j]/84); f(v,p,k[6]);
      double e=0; for(int j=0;j<N;j++){ double m=h*(71*k[0][j]/57600-71*k[2][j]/16695+71*k[3][j]/1920-17253*k[4][j]/339200+22*k[5][j]/525-k[6][j]/40);
        double a=fabs(y[j])>fabs(v[j])?fabs(y[j]):fabs(v[j]); double q=fabs(m)/(atol+rtol*a); if(q>e)e=q; }
      steps++; double w=0.9*pow(e>1e-10?e:1e-10,-0.2); if(w>5)w=5; if(w<0.2)w=0.2;
      if(e<=1){ t=last?T:t+h; for(int j=0;j<N;j++){y[j]=v[j];k[0][j]=k[6][j];} h*=w; if(last&&h<keep)h=keep; } else h*=w; } }
  return steps; }
"""
"""Dormand and Prince in C, step sizes as usual; written for this comparison."""
C_FIELDS = ("Vp0", "Vi", "Vecf", "k0", "Fr", "KF", "kal", "kfb", "Kf", "E", "coth", "cothi", "kcit",
            "Kd", "kbone", "Ca0", "dP0", "K1_AB", "K1_AL", "K1_FB", "K2_AB", "K2_AL", "K2_FB",
            "S_AB", "S_IG", "S_AL", "S_FB")  # fmt: skip


def by_c(
    people: list[dict[str, float]], rtol: float, folder: Path
) -> Callable[[int], Finals] | None:
    """Scalar C, one patient after the other; None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    (folder / "pex28.c").write_text(C_TEXT)
    library = folder / "pex28.so"
    subprocess.run(
        [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library),
         str(folder / "pex28.c"), "-lm"],
        check=True,
    )  # fmt: skip
    program = ctypes.CDLL(str(library)).run
    program.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                        ctypes.c_double, ctypes.c_double, ctypes.c_double]  # fmt: skip
    plan = np.array([[minutes, *flows] for minutes, flows in segments()])
    held = np.array([[p[name] for name in C_FIELDS] + [0.0] * 5 for p in people])
    rest = np.array([at_rest(p) for p in people])
    doses = [p["qs"] for p in people]

    def run(count: int) -> Finals:
        finals, parameters = rest[:count].copy(), held[:count].copy()
        for row in range(count):
            program(
                finals[row].ctypes.data, parameters[row].ctypes.data, plan.ctypes.data, len(plan),
                doses[row], rtol, 1e-3 * rtol,
            )  # fmt: skip
        return finals

    return run


def by_road_runner(people: list[dict[str, float]], rtol: float) -> Callable[[int], Finals] | None:
    """libRoadRunner: flows changed by events of the model, two outputs asked for."""
    if not (importlib.util.find_spec("roadrunner") and importlib.util.find_spec("antimony")):
        return None
    import antimony
    import roadrunner

    lines = ["model pex()"]
    y = list(NAMES)
    p = people[0]
    called = {name: {"coth": "other_p", "cothi": "other_i"}.get(name, name) for name in p}
    lines += [f"  {called[name]} = {value!r};" for name, value in p.items()]
    lines += [f"  {name} = {value!r};" for name, value in zip(y, at_rest(p), strict=True)]
    lines += [f"  {flow} = 0;" for flow in FLOWS]
    lines += [
        "  cAB := ABp/Vp; cIG := IGp/Vp; cAL := ALp/Vp; cFB := FBp/Vp;",
        "  FCR := k0*(1 - Fr*KF/(KF + cAB + cIG));",
        "  xAB := K1_AB*cAB - K2_AB*ABi/Vi; xIG := K1_AB*cIG - K2_AB*IGi/Vi;",
        "  xAL := K1_AL*cAL - K2_AL*ALi/Vi; xFB := K1_FB*cFB - K2_FB*FBi/Vi;",
        "  cp := 0.1*(cAB + cIG + cAL + cFB) + other_p;",
        "  ci := 0.1*(ABi + IGi + ALi + FBi)/Vi + other_i;",
        "  pull := cp*(2.1+cp*(0.16+0.009*cp)) - ci*(2.1+ci*(0.16+0.009*ci));",
        "  bb := CaT + Cit + Kd; ion := CaT - (bb - sqrt(bb*bb - 4*CaT*Cit))/2;",
        "  Vp' = (Qrep + Qin - Q + Kf*(pull - dP0 - E*(Vp - Vp0)))/60;",
        "  Cit' = ((cit_in - Q*Cit)/Vecf - kcit*Cit)/60;",
        "  CaT' = (kbone*(Ca0 - ion) - Q*CaT/Vecf)/60;",
        "  ABp' = (S_AB - FCR*ABp - xAB - Q*cAB)/60; IGp' = (S_IG - FCR*IGp - xIG - Q*cIG)/60;",
        "  ALp' = (S_AL - kal*ALp - xAL - Q*cAL + alb_in)/60;",
        "  FBp' = (S_FB - kfb*FBp - xFB - Q*cFB)/60;",
        "  ABi' = xAB/60; IGi' = xIG/60; ALi' = xAL/60; FBi' = xFB/60;",
    ]
    at = 0.0
    for number, (minutes, flows) in enumerate(segments()):
        if number:
            changes = ", ".join(f"{n} = qs*{v!r}" for n, v in zip(FLOWS, flows, strict=True))
            lines.append(f"  E{number}: at (time >= {at!r}): {changes};")
        at += minutes
    lines.append("end")
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString("\n".join(lines)) < 0:
        raise RuntimeError(antimony.getLastError())
    engine = roadrunner.RoadRunner(antimony.getSBMLString("pex"))
    engine.setIntegrator("cvode")
    engine.integrator.relative_tolerance = rtol
    engine.integrator.absolute_tolerance = 1e-3 * rtol
    engine.integrator.maximum_num_steps = 200_000

    def run(count: int) -> Finals:
        finals = np.empty((count, SIZE))
        for row in range(count):
            engine.reset()
            for name, value in people[row].items():
                engine[called[name]] = value
            for name, value in zip(y, at_rest(people[row]), strict=True):
                engine[name] = value
            engine.simulate(0, pex28.UNTIL, 2)
            finals[row] = [engine[name] for name in y]
        return finals

    return run


def measure(contenders: list[Contender], repeats: int, truth: Finals) -> None:
    """Time all in turn, so that a busy moment strikes all alike.

    The error is the largest of any state but citrate and any patient that the contender runs.
    """
    for one in contenders:
        finals = one.run(one.patients)
        kept = [i for i, name in enumerate(NAMES) if name != "Cit"]  # it is gone by then
        reference = truth[: len(finals)][:, kept]
        one.error = float(np.max(np.abs(finals[:, kept] / reference - 1)))
    for _ in range(repeats):
        for one in contenders:
            begin = time.perf_counter()
            one.run(one.patients)
            one.seconds.append((time.perf_counter() - begin) / one.patients)


def table(contenders: list[Contender]) -> str:
    """A row for each: time by patient, spread, how often the lanes are faster, error."""
    ours = statistics.median(contenders[0].seconds)
    lines = [
        "| engine | µs/patient | least–most | over the first | largest error of a final state (patients) |",
        "|---|---|---|---|---|",
    ]
    for one in contenders:
        middle = statistics.median(one.seconds)
        spread = f"{1e6 * min(one.seconds):.4g}–{1e6 * max(one.seconds):.4g}"
        lines.append(
            f"| {one.name} | {1e6 * middle:.4g} | {spread} | {middle / ours:.3g} | {one.error:.1e} ({one.patients}) |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write a table and a figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--patients", type=int, default=2048, help="of the lanes")
    parser.add_argument("--out", type=Path, help="folder of engines.md and engines.png")
    options = parser.parse_args()
    people = population(options.patients)
    truth = lanes(people, 1e-11)(options.patients)
    few = by_scipy(people, "Radau", 1e-12, 1e-14)(4)
    kept = [i for i, name in enumerate(NAMES) if name != "Cit"]
    print(f"lanes at 1e-11 against Radau: {np.max(np.abs(truth[:4] / few - 1)[:, kept]):.1e}")
    with tempfile.TemporaryDirectory() as name:
        found = [
            Contender("lanes of sweeps, 1e-3", lanes(people, 1e-3), options.patients),
            Contender("lanes of sweeps, 1e-4", lanes(people, 1e-4), options.patients),
            Contender("lanes of sweeps, 1e-5", lanes(people, 1e-5), options.patients),
            Contender("lanes of sweeps, 1e-6", lanes(people, 1e-6), options.patients),
            Contender("interpreted, 1e-7 (single runs)", interpreted(people, 1e-7), 4),
            Contender("interpreted, 1e-3", interpreted(people, 1e-3), 4),
            Contender("interpreted, 1e-12", interpreted(people, 1e-12), 1),
            Contender("LSODA, Python rates, 1e-6", by_scipy(people, "LSODA", 1e-6, 1e-9), 4),
        ]
        if program := by_c(people, 1e-6, Path(name)):
            found.append(Contender("scalar C, 1e-6", program, 256))
        else:
            print("no C compiler: left out")
        if engine := by_road_runner(people, 1e-6):
            found.append(Contender("libRoadRunner, events, 1e-6", engine, 8))
        else:
            print("libRoadRunner or antimony not installed: left out")
        measure(found, options.repeats, truth)
    text = table(found)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "engines.md").write_text(f"# PEX-28 by several engines\n\n{text}\n")
        _draw(found, options.out / "engines.png")


def _draw(contenders: list[Contender], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    order = contenders[::-1]
    medians = [1e6 * statistics.median(one.seconds) for one in order]
    axes.barh([one.name for one in order], medians)
    for place, value in enumerate(medians):
        axes.text(value * 1.1, place, f"{value:,.3g}", va="center")
    axes.set_xscale("log")
    axes.set_xlim(min(medians) / 3, 6 * max(medians))
    axes.set_xlabel("µs per course of five sessions in 28 days, one thread")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
