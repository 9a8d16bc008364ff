"""The drug graph for other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx

    from drugs_rs import DrugGraph

__all__ = ["to_networkx"]


def to_networkx(graph: DrugGraph) -> networkx.MultiDiGraph:
    """Build the networkx graph behind ``DrugGraph.to_networkx()``, which documents it.

    It is built by hand, because the parameter of ``networkx.node_link_graph`` for the list of links has different names
    in the versions for Python 3.8 and for the newest Python.
    """
    try:
        import networkx
    except ImportError as error:
        message = "to_networkx() needs networkx, which is not installed: pip install drugs-rs[notebook]"
        raise ModuleNotFoundError(message, name="networkx") from error

    data = graph.to_node_link()
    result = networkx.MultiDiGraph(**data["graph"])
    for node in data["nodes"]:
        attributes = dict(node)
        result.add_node(attributes.pop("id"), **attributes)
    for link in data["links"]:
        attributes = dict(link)
        source, target = attributes.pop("source"), attributes.pop("target")
        result.add_edge(source, target, key=attributes.pop("key", None), **attributes)
    return result
