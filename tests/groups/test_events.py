"""The events of groups and of collections: what happens to a log has one name in both."""

from letterlock.documents import CollectionEvent
from letterlock.groups import GroupEventKind


def test_every_event_of_a_collection_is_one_of_groups() -> None:
    """`what_happened` serves both, by the values."""
    for each in CollectionEvent:
        assert GroupEventKind(each.value).name == each.name


def test_groups_have_more() -> None:
    own = {each.name for each in GroupEventKind} - {each.name for each in CollectionEvent}
    assert own == {"DISAGREES", "HISTORY", "OTHER_LOG", "WRONG_SECRET"}
