"""Domain events: what happened, published in the transaction of the deed, told to every consumer.

An app registers its consumers in a module `consumers` of its own:

    @consumes(ProcessingFinished, queue=Queue.EVENTS)
    def tell_owner(event: ProcessingFinished) -> None: ...

Each runs in a transaction and the scope of the event's lab, at least once for each event: what it does
outside the database may be done twice. `webapp.outbox.deliveries` says what becomes of one that fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar, get_type_hints
from uuid import UUID

from webapp.outbox.models import Delivery
from webapp.outbox.queues import Queue
from webapp.outbox.services import enqueue

CONSUME = "consume"  # the task's name; workers register it


@dataclass(frozen=True)
class Event:
    """Something that happened in a lab: ids and counts, nothing that people entered."""

    lab: UUID

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: str(value) if isinstance(value, UUID) else value for name, value in values}

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        types = get_type_hints(cls)
        return cls(**{name: UUID(v) if types[name] is UUID else v for name, v in values.items()})


@dataclass(frozen=True)
class ImagesClassified(Event):
    """A chunk's results are recorded."""

    case: UUID
    classified: int
    refused: int


@dataclass(frozen=True)
class ProcessingFinished(Event):
    """A case came to rest: no image of it is awaited or waits for the model. How many it has of each kind."""

    case: UUID
    classified: int
    refused: int
    failed: int


@dataclass(frozen=True)
class CaseAssigned(Event):
    """A case became somebody's work; `by` is who gave it to them, or they themselves."""

    case: UUID
    assignee: int
    by: int


@dataclass(frozen=True)
class SecondReaderAsked(Event):
    """A second person is to read a case: `asked`, or 0 for anybody who may. `by` is who asked."""

    case: UUID
    asked: int
    by: int


@dataclass(frozen=True)
class ReadingsCompared(Event):
    """First and second reading of a case are finished: each may see the other now."""

    case: UUID
    disagreements: int


@dataclass(frozen=True)
class CasesReleased(Event):
    """Cases became nobody's work, because who had them left the lab or may not decide any more."""

    cases: int


@dataclass(frozen=True)
class CasesOverdue(Event):
    """Cases of a person, or of nobody, were found to be overdue that were not before."""

    assignee: int | None
    cases: int


@dataclass(frozen=True)
class CaseReady(Event):
    """Nothing is missing any more to sign a case: it was not so before."""

    case: UUID


@dataclass(frozen=True)
class CaseSigned(Event):
    """A version of a case's result has all signatures that the lab asks for."""

    case: UUID
    result: UUID
    version: int


@dataclass(frozen=True)
class CaseAmended(Event):
    """A signed result was opened again to be corrected: the version that stands until the next is signed."""

    case: UUID
    result: UUID
    version: int


@dataclass(frozen=True)
class CaseVoided(Event):
    """A case's result is nobody's: it was made of the wrong patient."""

    case: UUID


@dataclass(frozen=True)
class RangesChanged(Event):
    """By which ranges a lab's counts are judged. `after` is the id of the last case that was looked at again;
    empty: none was yet."""

    after: str = ""


@dataclass(frozen=True)
class PatientChanged(Event):
    """A patient's sex or birth date, or whose some cases are; or nothing is known of them any more."""

    patient: UUID


@dataclass(frozen=True)
class SpecimenChanged(Event):
    """What is known of the specimen of a case, or what an analyser counted in it."""

    case: UUID


@dataclass(frozen=True)
class CallOverdue(Event):
    """Somebody was to be told of a case's critical values, and the lab's time for it is over."""

    case: UUID
    call: UUID


@dataclass(frozen=True)
class JobEnded(Event):
    """A job is done, or failed."""

    job: UUID
    done: bool


@dataclass(frozen=True)
class Consumer:
    name: str
    event: type[Event]
    queue: Queue
    run: Callable[[Any], None]


E = TypeVar("E", bound=Event)
CONSUMERS: dict[str, Consumer] = {}


def consumes(event: type[E], *, queue: Queue) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Have a function called with every event of this type.

    Its name, `<app>.<function>`, is kept in the database until it has run: a new name is a new consumer.
    """

    def register(run: Callable[[E], None]) -> Callable[[E], None]:
        name = f"{run.__module__.split('.')[-2]}.{run.__name__}"
        CONSUMERS[name] = Consumer(name, event, queue, run)
        return run

    return register


def publish(event: Event) -> None:
    """Have every consumer told; nobody is unless the transaction commits."""
    by_queue: dict[Queue, list[Delivery]] = {}
    for consumer in CONSUMERS.values():
        if consumer.event is type(event):
            delivery = Delivery(lab_id=event.lab, consumer=consumer.name, event=event.plain())
            by_queue.setdefault(consumer.queue, []).append(delivery)
    for queue, deliveries in by_queue.items():
        Delivery.objects.bulk_create(deliveries)
        enqueue(event.lab, queue, CONSUME, [delivery.id for delivery in deliveries])
