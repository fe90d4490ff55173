"""Frozen dataclasses that cost little to declare, for what is written down rather than computed.

`dataclasses` compiles six methods for every frozen class, which for a hundred classes takes longer
than Python takes to start. A record is a dataclass (`fields`, `replace` and `asdict` know it) whose
methods go by its fields instead: dearer by a microsecond or two for each instance, so not for what
is made at every step of a simulation.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, field
from typing import Any, TypeVar, dataclass_transform

Class = TypeVar("Class", bound=type[Any])


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: Class) -> Class:
    """`dataclass(frozen=True, slots=True)` without code made for this class alone.

    It has no `ClassVar`: `dataclasses` would search the text of every annotation for that.
    """
    types = cls.__annotations__
    cls.__annotations__ = dict.fromkeys(types, Any)
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__annotations__ = types
    for known in made.__dataclass_fields__.values():
        known.type = types.get(known.name, known.type)
    made._compared = tuple(f.name for f in dataclasses.fields(made) if f.compare)
    made._shown = tuple(f.name for f in dataclasses.fields(made) if f.repr)
    for name, method in _METHODS.items():
        setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _init(self: Any, *given: Any, **named: Any) -> None:
    put, names = object.__setattr__, self.__match_args__
    for name, value in zip(names, given, strict=False):
        put(self, name, value)
    for name in names[len(given) :]:
        put(self, name, named.pop(name) if name in named else _default(self, name))
    if named or len(given) > len(names):
        raise TypeError(f"{_init_of(self)} {_surplus(names, given, named)}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _default(self: Any, name: str) -> Any:
    known = self.__dataclass_fields__[name]
    if known.default is not MISSING:
        return known.default
    if known.default_factory is not MISSING:
        return known.default_factory()
    raise TypeError(f"{_init_of(self)} missing 1 required positional argument: {name!r}")


def _surplus(names: tuple[str, ...], given: tuple[Any, ...], named: dict[str, Any]) -> str:
    if len(given) > len(names):
        return f"takes {len(names)} positional arguments but {len(given)} were given"
    name = next(iter(named))
    if name in names:
        return f"got multiple values for argument {name!r}"
    return f"got an unexpected keyword argument {name!r}"


def _init_of(self: Any) -> str:
    return f"{type(self).__qualname__}.__init__()"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self._compared])


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
    return f"{type(self).__qualname__}({shown})"


def _refuse_to_set(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)


_METHODS = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
