"""The comparison judges what was measured, and says what was not."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import compare
from comparison import rounds, tables
from comparison.chart import draw
from comparison.contestants import CALLS, CONTESTANTS, FAST, OURS, PURE, SESSION
from comparison.environments import CannotInstall, Environment
from comparison.results import GOALS, LARGE_BYTES, TITLES, Figures, Goal, Outcome, as_json, judge, outcome
from comparison.rounds import Times, Worker, WorkerFailed
from letterlock._primitives.native import NATIVE

WORKER = """
import json, sys
print(json.dumps({"cases": ["encrypt", "late-999", "bad"], "versions": {"this": "1.0"}}), flush=True)
for line in sys.stdin:
    _, case, count = line.split()
    if case == "bad":
        print(json.dumps({"error": "ValueError: no"}), flush=True)
    elif case == "end":
        sys.exit("it is over")
    else:
        print(json.dumps({"ns": [1000.0 * (n + 1) for n in range(int(count))], "recovered": 40}), flush=True)
"""


def command(tmp_path: Path, text: str = WORKER) -> list[str]:
    path = tmp_path / "worker.py"
    path.write_text(text, "utf-8")
    return [sys.executable, str(path)]


# --- workers ----------------------------------------------------------------------------------------------


def test_a_worker_answers_and_ends(tmp_path: Path) -> None:
    with Worker(command(tmp_path)) as worker:
        assert worker.versions == {"this": "1.0"}
        assert worker.run("encrypt", 3)["ns"] == [1000.0, 2000.0, 3000.0]
        with pytest.raises(WorkerFailed, match="ValueError: no"):
            worker.run("bad", 1)
        assert worker.run("encrypt", 1)["ns"] == [1000.0]
        with pytest.raises(WorkerFailed, match="it is over"):
            worker.run("end", 1)
        with pytest.raises(WorkerFailed):
            worker.run("encrypt", 1)


def test_a_worker_that_cannot_start_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    commands = {
        "good": command(tmp_path),
        "broken": [sys.executable, "-c", "raise SystemExit('no such library')"],
        "missing": [str(tmp_path / "nothing")],
    }
    with ExitStack() as stack:
        workers, missing = rounds.start(commands, stack)
        assert [*workers] == ["good"]
        assert missing["broken"] == "the worker ended: no such library"
        assert "nothing" in missing["missing"]
        table = rounds.play(workers, {"encrypt": 2, "bad": 1, "unknown": 1}, 3, lambda _: None)
    assert table["encrypt"]["good"].rounds == [[1000.0, 2000.0]] * 3
    assert table["bad"]["good"].failed == "ValueError: no"
    assert table["unknown"] == {}


def test_everybody_takes_a_turn_in_every_round_and_first_is_another_each_time(tmp_path: Path) -> None:
    told: list[str] = []
    with ExitStack() as stack:
        workers, _ = rounds.start(dict.fromkeys("ab", command(tmp_path)), stack)
        rounds.play(workers, {"encrypt": 1}, 2, told.append)
    assert [each.rpartition(" ")[2] for each in told] == ["a", "b", "b", "a"]


# --- figures and goals --------------------------------------------------------------------------------------


def test_figures_are_of_all_rounds() -> None:
    made = Figures.of(Times([[10.0, 30.0], [20.0, 40.0]], recovered=40))
    assert made == Figures(10.0, 25.0, 1.0, 40)
    assert Figures.of(Times()).failed == "not run"
    assert Figures.of(Times([[1.0]], failed="broken")).failed == "broken"


def figures(goal: Goal, ours: float, theirs: float, recovered: int | None = 999) -> Outcome:
    done = {each.name: Figures(ours, ours, 0.0, recovered) for each in OURS.values()}
    if goal.peer is not None:
        done[goal.peer] = Figures(theirs, theirs, 0.0)
    return {goal.case: done}


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.case}-{goal.group}-{goal.peer}")
def test_a_goal_is_reached_at_its_limit_and_not_above(goal: Goal) -> None:
    for way in (FAST, PURE):
        limit = goal.at_most(way) * (1 if goal.peer is None else 1000)
        for ours, reached in ((limit * 0.999, True), (limit * 1.001, False)):
            judged = {each.way: each for each in judge(figures(goal, ours, 1000.0)) if each.goal is goal}
            assert {*judged} == {FAST, PURE}
            assert judged[way].reached is reached


def test_a_goal_is_reached_only_if_the_median_is_within_it_too() -> None:
    goal = GOALS[0]
    assert goal.peer is not None
    name = OURS[goal.group, FAST].name
    theirs = Figures(1000.0, 2000.0, 0.0)
    for median, reached in ((2000.0 * goal.fast * 0.999, True), (2000.0 * goal.fast * 1.001, False)):
        found: Outcome = {goal.case: {name: Figures(1.0, median, 0.0), goal.peer: theirs}}
        (judged,) = (each for each in judge(found) if each.goal is goal and each.way == FAST)
        assert judged.reached is reached


@pytest.mark.parametrize("recovered", [None, 0, 40, 998])
def test_messages_that_were_lost_are_no_success(recovered: int | None) -> None:
    (goal,) = (each for each in GOALS if each.recovered is not None)
    judged = [each for each in judge(figures(goal, 1.0, 1000.0, recovered)) if each.goal is goal]
    assert [each.reached for each in judged] == [False] * len(judged)


def test_what_was_not_measured_is_not_reached() -> None:
    assert not any(each.reached for each in judge({}))
    goal = GOALS[0]
    broken = figures(goal, 1.0, 1000.0)
    assert goal.peer is not None
    broken[goal.case][goal.peer] = Figures(failed="gone")
    assert not any(each.reached for each in judge(broken) if each.goal is goal)


def test_every_goal_is_of_a_work_and_a_peer_that_there_are() -> None:
    names = {each.name for each in CONTESTANTS}
    for goal in GOALS:
        assert goal.case in TITLES
        assert goal.case in compare.COUNTS
        assert goal.peer is None or goal.peer in names
    assert len(names) == len(CONTESTANTS)
    assert {each.kept for each in CONTESTANTS if each.environment is None and not each.ours} == {CALLS}
    assert {way for _, way in OURS} == {FAST, PURE, SESSION}
    assert [each.way for each in CONTESTANTS if each.ours] == [FAST, PURE, SESSION] * 2


def test_a_report_names_goals_losses_and_who_is_missing() -> None:
    (goal,) = (each for each in GOALS if each.recovered is not None)
    assert goal.peer is not None
    found = figures(goal, 50.0, 1000.0)
    found[goal.case][goal.peer] = Figures(1000.0, 2000.0, 0.5, 40)
    found["large-encrypt"] = {
        each.name: Figures(float(LARGE_BYTES), float(LARGE_BYTES)) for each in OURS.values()
    }
    page = tables.report(found, [("date", "today")], {"vodozemac": "pip is not on this machine"})
    assert "| 0.05 x; 0.03 x, 999 recovered | **reached** |" in page
    assert "40 of 999 recovered" in page
    assert "at least 2.00 GB/s | 1.00 GB/s; 1.00 GB/s | not reached" in page
    assert "**not measured: pip is not on this machine.**" in page
    assert "not measured | not reached" in page
    assert as_json(found)[goal.case][goal.peer]["recovered"] == 40
    drawing = draw(found, "today & now")
    assert "today &amp; now" in drawing
    assert drawing.count("<rect") == 1 + len(found[goal.case]) + len(OURS)


def test_an_outcome_keeps_who_failed() -> None:
    assert outcome({"encrypt": {"a": Times(failed="no")}})["encrypt"]["a"].failed == "no"
    assert as_json({"encrypt": {"a": Figures(failed="no")}}) == {"encrypt": {"a": {"failed": "no"}}}


# --- environments -------------------------------------------------------------------------------------------


def test_an_environment_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Environment("peer", "npm", ("no-such-package==0",))
    monkeypatch.setattr("comparison.environments.shutil.which", lambda _: None)
    with pytest.raises(CannotInstall, match=r"^npm is not on this machine$"):
        wish.make(tmp_path)
    assert not wish.is_ready(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_environment_is_ready_for_its_own_wish_alone(tmp_path: Path) -> None:
    wish, other = Environment("peer", "pip", ("a==1",)), Environment("peer", "pip", ("a==2",))
    wish.folder(tmp_path).mkdir()
    (wish.folder(tmp_path) / "ready").write_text(wish._wish(), "utf-8")
    assert wish.is_ready(tmp_path)
    assert not other.is_ready(tmp_path)


def test_peers_may_be_chosen_and_ours_and_the_floor_always_run() -> None:
    chosen = compare.choose(["sibna"])
    assert [each.name for each in chosen if each.environment is not None] == ["sibna"]
    assert {each.name for each in CONTESTANTS if each.environment is None} <= {each.name for each in chosen}
    assert compare.choose([]) == [*CONTESTANTS]


def test_a_quick_run_of_ours_and_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real workers, each case once: every text that comes out is compared in them."""
    arguments = ["compare.py", "--quick", "--rounds", "1", "--only", "nobody", "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--results", str(tmp_path / "results")])
    assert compare.main() == 0
    found = json.loads((tmp_path / "results" / "latest.json").read_text("utf-8"))["cases"]
    own = {each.name for each in CONTESTANTS if each.environment is None}
    if NATIVE is None:
        own -= {each.name for each in CONTESTANTS if each.way == FAST}
    assert {name for done in found.values() for name in done} == own
    assert not [each for done in found.values() for each in done.values() if "failed" in each]
    assert found["late-999"]["letterlock, account, PQXDH"]["recovered"] == 999
    assert "| floor, PQXDH |" in capsys.readouterr().out
