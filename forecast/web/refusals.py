"""From an error to sentences beside the fields of a form: which field each is about, and what is told of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from indicators.errors import Fault, FaultsError, WatchfloorError

__all__ = ["Refusal", "refusal"]


@dataclass
class Refusal:
    """Why a form was refused; empty, and false, where it was not.

    Attributes
    ----------
    fields : dict of str to str
        The sentence of each field that is at fault.
    others : list of str
        What is about no field of the form.
    """

    fields: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fields or self.others)

    @property
    def lines(self) -> list[str]:
        """Every sentence, once."""
        return list(dict.fromkeys([*self.others, *self.fields.values()]))

    def add(self, name: str, what: str, mend: str = "") -> None:
        """Say of a field what is wrong with it; of the same one again, both are told."""
        said = f"{what}; {mend}" if mend else what
        self.fields[name] = f"{self.fields[name]}. {said}" if name in self.fields else said


def refusal(error: WatchfloorError, fields: Mapping[str, str], *, default: str = "") -> Refusal:
    """The sentences of an error, by the fields of a form.

    Parameters
    ----------
    error : WatchfloorError
    fields : mapping of str to str
        From what errors call a place, such as `--as-of`, to the field of the form.
    default : str
        The field that an error without a known place is about; empty where it is about none.
    """
    faults = error.faults if isinstance(error, FaultsError) else [Fault(error.where, 0, 0, error.what, error.mend)]
    found = Refusal()
    for fault in faults:
        name = fields.get(fault.file, default)
        if name:
            found.add(name, fault.what, fault.mend)
        else:
            found.others.append(f"{fault.what}; {fault.mend}" if fault.mend else fault.what)
    return found
