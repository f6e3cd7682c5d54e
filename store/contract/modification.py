"""Where the tokens of an instance are, and orders that move them."""

from typing import Any

from pydantic import Field

from retriage.store.contract.model import Shape
from retriage.store.contract.orders import NamesInstances
from retriage.store.contract.values import Flag, Text


class IncidentThere(Shape):
    """An open incident, and its activity."""

    id: str
    activity_id: str | None


class TransitionInstance(Shape):
    """A token that waits for the job before or after an activity."""

    id: str
    parent_activity_instance_id: str
    process_instance_id: str
    process_definition_id: str
    activity_id: str
    activity_name: str | None
    activity_type: str
    execution_id: str
    incident_ids: list[str]
    incidents: list[IncidentThere]
    target_activity_id: str


class ActivityInstance(Shape):
    """A process instance, or a token in one of its activities. Those of activities have no children here."""

    id: str
    parent_activity_instance_id: str | None
    activity_id: str
    activity_type: str
    process_instance_id: str
    process_definition_id: str
    child_activity_instances: list["ActivityInstance"] = []
    child_transition_instances: list[TransitionInstance] = []
    execution_ids: list[str]
    activity_name: str | None
    incident_ids: list[str]
    incidents: list[IncidentThere]
    name: str | None


class Instruction(Shape):
    """One step of a modification: start a token somewhere, or cancel some."""

    type: Text = Field(
        default=None, description="startBeforeActivity, startAfterActivity, startTransition or cancel. Required."
    )
    activity_id: Text = None
    transition_id: Text = None
    activity_instance_id: Text = None
    transition_instance_id: Text = None
    ancestor_activity_instance_id: Text = None
    cancel_current_active_activity_instances: Flag = Field(
        default=False, description="Only tokens that were there before the modification; of many instances only."
    )
    variables: dict[str, Any] | None = Field(
        default=None, description="Set before a token is started; of one instance, at once, only."
    )


class ModifyInstance(Shape):
    """Move the tokens of a process instance, by instructions in their order."""

    instructions: list[Instruction] | None = None
    skip_custom_listeners: Flag = Field(default=False, description="Makes no difference: there are none.")
    skip_io_mappings: Flag = Field(default=False, description="Makes no difference: there are none.")
    annotation: Text = Field(default=None, description="A note in the user operation log.")


class ModifyInstances(NamesInstances, ModifyInstance):
    """Move the tokens of many process instances of one definition, all by the same instructions."""

    process_definition_id: Text = Field(default=None, description="The definition of all of them. Required.")
