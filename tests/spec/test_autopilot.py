"""The autopilot on small trainings: it keeps what is better, and nothing else; what it may see, take and change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.autopilot.flight import fly
from ontogeny.steer.autopilot.judge import judged
from ontogeny.steer.autopilot.log import AUTHOR, flights
from ontogeny.steer.autopilot.report import Report
from ontogeny.steer.session import Session
from tests.spec import diagnosed

BUDGET = 240


def begun(folder: Path, lr: float = 0.2, steps: int = 0, **how: Any) -> Session:
    diagnosed.run(folder / "run", steps=steps, dials={"lr": lr}, **how).close()
    return Session(RunsFolder(folder), "run")


def flown(session: Session, **how: Any) -> Report:
    return fly(session, "run", **{"budget": str(BUDGET), "steps": diagnosed.STEPS, **how})


def given(session: Session) -> Run:
    return session.native("run")


@pytest.mark.parametrize("lr", [0.002, 20.0])
def test_a_wrong_learning_rate_is_found_and_a_better_one_kept(tmp_path: Path, lr: float) -> None:
    session = begun(tmp_path, lr)
    report = flown(session)
    assert report.kept and report.verdict is not None and report.verdict.better
    kept = session.native(report.run)
    assert kept.step >= report.step and any("learning rate" in change for change in report.changes)
    assert given(session).step == 0 and given(session).dials()["lr"] == lr, "the given run stays as it is"
    assert report.steps <= BUDGET


def test_it_is_told_in_the_journal_and_by_why(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.002)
    report = flown(session)
    lines = [entry["text"] for entry in flights(given(session))]
    assert tuple(lines) == report.lines or lines[-1].startswith(report.run)
    assert {entry.author for entry in flights(given(session))} == {AUTHOR}
    assert all(text in report.text for text in report.lines)
