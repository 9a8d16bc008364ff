//! The graph in the shapes of other tools. One list of nodes and links feeds them all.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::model::{DrugGraph, PublicationNode};
use crate::schema::{PublicationKind, PublicationStatus};

/// A shape that a graph can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphShape {
    /// `drug_graph.json` itself.
    Graph,
    /// Node-link JSON, as networkx and D3 read it.
    NodeLink,
    /// GraphML, as Gephi, yEd and Cytoscape read it.
    GraphMl,
    /// GEXF 1.3, as Gephi reads it.
    Gexf,
    /// One mention a line: code, drug, kind, publication, journal, date.
    EdgesNdjson,
    /// The same as CSV.
    EdgesCsv,
    /// Nodes as Neo4j's bulk import reads them.
    Neo4jNodes,
    /// Relationships as Neo4j's bulk import reads them.
    Neo4jRelationships,
}

/// A node: its id, its kind, and what else is known.
pub struct Node {
    pub id: String,
    pub label: &'static str,
    pub properties: Vec<(&'static str, Option<String>)>,
}

/// A link between two nodes.
pub struct NodeLink {
    pub source: String,
    pub target: String,
    pub label: &'static str,
    pub date: Option<String>,
}

/// All nodes and links: drugs, publications and journals; a publication *mentions* a drug, a journal *published* a
/// publication, and a drug is *mentioned in* a journal once a publication.
pub fn nodes_and_links(graph: &DrugGraph) -> (Vec<Node>, Vec<NodeLink>) {
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    let day = |publication: &PublicationNode| publication.date.map(|date| date.to_string());
    for drug in graph.drugs() {
        let (code, name) = (Some(drug.atccode.clone()), Some(drug.name.clone()));
        nodes.push(Node {
            id: drug_id(&drug.atccode),
            label: "drug",
            properties: vec![("atccode", code), ("name", name)],
        });
    }
    for journal in graph.journals() {
        nodes.push(Node {
            id: journal_id(journal),
            label: "journal",
            properties: vec![("name", Some(journal.clone()))],
        });
    }
    for kind in PublicationKind::ALL {
        for publication in graph.publications(kind) {
            let (id, date) = (publication_id(kind, &publication.id), day(publication));
            if let Some(journal) = graph.journal(publication) {
                links.push(NodeLink {
                    source: journal_id(journal),
                    target: id.clone(),
                    label: "published",
                    date: date.clone(),
                });
            }
            let own = Some(publication.id.clone());
            let status = publication.status.map(|status| status.name().to_owned());
            nodes.push(Node {
                id,
                label: kind.name(),
                properties: vec![("publication_id", own), ("date", date), ("status", status)],
            });
        }
    }
    for &link in graph.links() {
        let publication = graph.publication(link);
        let (drug, date) = (drug_id(&graph.drug(link).atccode), day(publication));
        if let Some(journal) = graph.journal(publication) {
            links.push(NodeLink {
                source: drug.clone(),
                target: journal_id(journal),
                label: "mentioned_in",
                date: date.clone(),
            });
        }
        links.push(NodeLink {
            source: publication_id(link.kind, &publication.id),
            target: drug,
            label: "mentions",
            date,
        });
    }
    (nodes, links)
}

fn drug_id(atccode: &str) -> String {
    format!("drug:{atccode}")
}

fn journal_id(journal: &str) -> String {
    format!("journal:{journal}")
}

fn publication_id(kind: PublicationKind, id: &str) -> String {
    format!("{}:{id}", kind.name())
}

/// Writes the graph in a shape.
pub fn write_shape(graph: &DrugGraph, shape: GraphShape, mut out: impl Write) -> io::Result<()> {
    match shape {
        GraphShape::Graph => super::write_json(graph, out),
        GraphShape::NodeLink => {
            serde_json::to_writer(&mut out, &node_link(graph))?;
            out.write_all(b"\n")
        }
        GraphShape::GraphMl => write_graphml(graph, out),
        GraphShape::Gexf => write_gexf(graph, out),
        GraphShape::EdgesNdjson => write_edges(graph, |edge| {
            serde_json::to_writer(&mut out, &Value::Object(edge))?;
            out.write_all(b"\n")
        }),
        GraphShape::EdgesCsv => {
            let header = [
                "atccode",
                "date",
                "drug",
                "journal",
                "kind",
                "publication_id",
                "status",
                "substance",
            ];
            write_csv_row(&mut out, header.map(Some).into_iter())?;
            write_edges(graph, |edge| {
                write_csv_row(&mut out, edge.values().map(Value::as_str))
            })
        }
        GraphShape::Neo4jNodes => {
            let (nodes, _) = nodes_and_links(graph);
            write_csv_row(
                &mut out,
                ["id:ID", "name", "publication_id", "date:date", "status", ":LABEL"]
                    .map(Some)
                    .into_iter(),
            )?;
            nodes.iter().try_for_each(|node| {
                let property = |name: &str| {
                    node.properties
                        .iter()
                        .find(|(key, _)| *key == name)
                        .and_then(|(_, value)| value.as_deref())
                };
                let row = [
                    Some(node.id.as_str()),
                    property("name"),
                    property("publication_id"),
                    property("date"),
                    property("status"),
                    Some(node.label),
                ];
                write_csv_row(&mut out, row.into_iter())
            })
        }
        GraphShape::Neo4jRelationships => {
            let (_, links) = nodes_and_links(graph);
            write_csv_row(
                &mut out,
                [":START_ID", ":END_ID", "date:date", ":TYPE"]
                    .map(Some)
                    .into_iter(),
            )?;
            links.iter().try_for_each(|link| {
                let kind = link.label.to_uppercase();
                let row = [
                    Some(link.source.as_str()),
                    Some(link.target.as_str()),
                    link.date.as_deref(),
                    Some(kind.as_str()),
                ];
                write_csv_row(&mut out, row.into_iter())
            })
        }
    }
}

fn node_link(graph: &DrugGraph) -> Value {
    let (nodes, links) = nodes_and_links(graph);
    let nodes: Vec<Value> = nodes
        .into_iter()
        .map(|node| {
            let mut value = Map::new();
            value.insert("id".to_owned(), node.id.into());
            value.insert("label".to_owned(), node.label.into());
            value.extend(
                node.properties
                    .into_iter()
                    .map(|(name, text)| (name.to_owned(), Value::from(text))),
            );
            Value::Object(value)
        })
        .collect();
    let links: Vec<Value> = links
        .into_iter()
        .map(|link| json!({"source": link.source, "target": link.target, "label": link.label, "date": link.date}))
        .collect();
    json!({"directed": true, "multigraph": true, "graph": {}, "nodes": nodes, "links": links})
}

fn write_edges(
    graph: &DrugGraph,
    mut write: impl FnMut(Map<String, Value>) -> io::Result<()>,
) -> io::Result<()> {
    graph.links().iter().try_for_each(|&link| {
        let (drug, publication) = (graph.drug(link), graph.publication(link));
        let mut edge = Map::new();
        edge.insert("atccode".to_owned(), drug.atccode.as_str().into());
        edge.insert(
            "date".to_owned(),
            publication.date.map(|date| date.to_string()).into(),
        );
        edge.insert("drug".to_owned(), drug.name.as_str().into());
        edge.insert("journal".to_owned(), graph.journal(publication).into());
        edge.insert("kind".to_owned(), link.kind.name().into());
        edge.insert("publication_id".to_owned(), publication.id.as_str().into());
        let status = publication.status.map(PublicationStatus::name);
        edge.insert("status".to_owned(), status.into());
        edge.insert("substance".to_owned(), drug.substance.as_str().into());
        write(edge)
    })
}

fn write_csv_row<'v>(out: &mut impl Write, values: impl Iterator<Item = Option<&'v str>>) -> io::Result<()> {
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.write_all(b",")?;
        }
        let value = value.unwrap_or_default();
        if value.contains(['"', ',', '\n', '\r']) {
            write!(out, "\"{}\"", value.replace('"', "\"\""))?;
        } else {
            out.write_all(value.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

fn write_graphml(graph: &DrugGraph, mut out: impl Write) -> io::Result<()> {
    let (nodes, links) = nodes_and_links(graph);
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n")?;
    for name in ["label", "atccode", "name", "publication_id", "date", "status"] {
        writeln!(
            out,
            "<key id=\"{name}\" for=\"all\" attr.name=\"{name}\" attr.type=\"string\"/>"
        )?;
    }
    out.write_all(b"<graph edgedefault=\"directed\">\n")?;
    for node in nodes {
        write!(
            out,
            "<node id=\"{}\"><data key=\"label\">{}</data>",
            xml(&node.id),
            node.label
        )?;
        for (name, text) in &node.properties {
            if let Some(text) = text {
                write!(out, "<data key=\"{name}\">{}</data>", xml(text))?;
            }
        }
        out.write_all(b"</node>\n")?;
    }
    for link in links {
        let (source, target) = (xml(&link.source), xml(&link.target));
        write!(
            out,
            "<edge source=\"{source}\" target=\"{target}\"><data key=\"label\">{}</data>",
            link.label
        )?;
        if let Some(date) = &link.date {
            write!(out, "<data key=\"date\">{date}</data>")?;
        }
        out.write_all(b"</edge>\n")?;
    }
    out.write_all(b"</graph>\n</graphml>\n")
}

fn write_gexf(graph: &DrugGraph, mut out: impl Write) -> io::Result<()> {
    let (nodes, links) = nodes_and_links(graph);
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gexf xmlns=\"http://gexf.net/1.3\" version=\"1.3\">\n\
          <graph mode=\"static\" defaultedgetype=\"directed\">\n",
    )?;
    // A node and a link have a label of their own, which Gephi shows: `kind` is what other shapes call `label`.
    for (class, names) in [
        (
            "node",
            &["kind", "atccode", "name", "publication_id", "date", "status"][..],
        ),
        ("edge", &["date"]),
    ] {
        writeln!(out, "<attributes class=\"{class}\" mode=\"static\">")?;
        for name in names {
            writeln!(out, "<attribute id=\"{name}\" title=\"{name}\" type=\"string\"/>")?;
        }
        out.write_all(b"</attributes>\n")?;
    }
    out.write_all(b"<nodes>\n")?;
    for node in nodes {
        let shown = node.properties.iter().find_map(|(name, text)| {
            let is_label = matches!(*name, "name" | "publication_id");
            text.as_deref().filter(|_| is_label)
        });
        write!(
            out,
            "<node id=\"{}\" label=\"{}\"><attvalues><attvalue for=\"kind\" value=\"{}\"/>",
            xml(&node.id),
            xml(shown.unwrap_or(&node.id)),
            node.label
        )?;
        for (name, text) in &node.properties {
            if let Some(text) = text {
                write!(out, "<attvalue for=\"{name}\" value=\"{}\"/>", xml(text))?;
            }
        }
        out.write_all(b"</attvalues></node>\n")?;
    }
    out.write_all(b"</nodes>\n<edges>\n")?;
    for (number, link) in links.iter().enumerate() {
        write!(
            out,
            "<edge id=\"{number}\" source=\"{}\" target=\"{}\" label=\"{}\"",
            xml(&link.source),
            xml(&link.target),
            link.label
        )?;
        match &link.date {
            Some(date) => writeln!(
                out,
                "><attvalues><attvalue for=\"date\" value=\"{date}\"/></attvalues></edge>"
            )?,
            None => out.write_all(b"/>\n")?,
        }
    }
    out.write_all(b"</edges>\n</graph>\n</gexf>\n")
}

/// Escaped for XML, without the control characters that XML 1.0 cannot hold.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // As they are, a reader takes them for blanks.
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if letter.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}
