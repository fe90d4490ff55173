"""A record is a frozen dataclass in all that can be asked of one."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from simulator.records import record


@record
class Bag:
    """As records are written: without and with defaults, one that is not compared."""

    name: str
    volume: float = 500.0
    contents: dict[str, float] = field(default_factory=dict)
    label: str = field(default="", compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Usual:
    """The same by the standard library."""

    name: str
    volume: float = 500.0
    contents: dict[str, float] = field(default_factory=dict)
    label: str = field(default="", compare=False, repr=False)


@record
class CheckedBag(Bag):
    """One that derives from another and looks at itself."""

    drained: float = 0.0

    def __post_init__(self) -> None:
        if self.drained > self.volume:
            raise ValueError("more drained than there was")


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("saline",), {}),
    (("saline", 250.0), {}),
    (("saline",), {"volume": 250.0, "label": "x"}),
    ((), {"label": "x", "name": "saline"}),
    (("saline", 1.0, {"sodium": 154.0}, "x"), {}),
    ((), {}),
    ((), {"volume": 1.0}),
    (("saline",), {"name": "albumin"}),
    (("saline",), {"colour": "red"}),
    (("saline", 1.0, {}, "x", 5), {}),
]


@pytest.mark.parametrize(("given", "named"), CALLS)
def test_it_takes_and_refuses_what_a_dataclass_does(
    given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    def outcome(kind: Any) -> Any:
        try:
            return dataclasses.asdict(kind(*given, **named))
        except TypeError:
            return TypeError

    assert outcome(Bag) == outcome(Usual)


def test_what_is_missing_or_unknown_is_named() -> None:
    make: Any = Bag
    with pytest.raises(TypeError, match=r"Bag\.__init__\(\) missing .*'name'"):
        make()
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        make("saline", colour="red")


def test_it_cannot_be_changed() -> None:
    bag: Any = Bag("saline")
    with pytest.raises(dataclasses.FrozenInstanceError, match="volume"):
        bag.volume = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError, match="volume"):
        del bag.volume
    with pytest.raises((AttributeError, TypeError)):
        bag.other = 1.0
    assert bag.volume == 500.0


def test_equal_in_what_is_compared_is_equal() -> None:
    assert Bag("saline", label="a") == Bag("saline", label="b")
    assert Bag("saline") != Bag("saline", 250.0)
    assert Bag("saline") != CheckedBag("saline")
    assert Bag("saline", contents={"a": 1.0}) != Bag("saline")
    name: object = "saline"
    assert Bag("saline") != name


def test_equal_ones_hash_alike() -> None:
    @record
    class Place:
        line: int
        column: int

    assert len({Place(1, 2), Place(1, 2), Place(2, 1)}) == 2


def test_defaults_made_anew_are_not_shared() -> None:
    one, other = Bag("a"), Bag("b")
    one.contents["x"] = 1.0
    assert other.contents == {}


def test_it_shows_what_it_holds() -> None:
    assert repr(Bag("saline")) == "Bag(name='saline', volume=500.0, contents={})"


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_is_equal_and_frozen(again: Any) -> None:
    bag = CheckedBag("saline", contents={"sodium": 154.0}, label="x", drained=3.0)
    other = again(bag)
    assert other == bag
    assert other.label == "x"
    with pytest.raises(dataclasses.FrozenInstanceError):
        other.volume = 1.0


def test_the_standard_library_knows_it() -> None:
    bag = Bag("saline", label="x")
    assert dataclasses.is_dataclass(bag)
    assert [(f.name, f.type) for f in dataclasses.fields(Bag)] == [
        (f.name, f.type) for f in dataclasses.fields(Usual)
    ]
    assert Bag.__annotations__ == Usual.__annotations__
    assert dataclasses.replace(bag, volume=1.0) == Bag("saline", 1.0)
    match bag:
        case Bag(name, volume):
            assert (name, volume) == ("saline", 500.0)


def test_one_that_looks_at_itself_does_so_when_made_and_when_replaced() -> None:
    with pytest.raises(ValueError, match="more drained"):
        CheckedBag("saline", drained=501.0)
    with pytest.raises(ValueError, match="more drained"):
        dataclasses.replace(CheckedBag("saline"), drained=501.0)
