//! A YAML or JSON value whose members keep their order.

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub type Map = IndexMap<String, Node>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

impl Node {
    /// Reads a value that is written as JSON or as YAML.
    pub fn of(value: serde_json::Value) -> Result<Self> {
        Ok(serde_json::from_value(value)?)
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    pub fn map(&self) -> Option<&Map> {
        if let Self::Map(map) = self {
            Some(map)
        } else {
            None
        }
    }

    pub fn map_mut(&mut self) -> Result<&mut Map> {
        if let Self::Map(map) = self {
            Some(map)
        } else {
            None
        }
        .context("a part of the document is not an object")
    }

    pub fn list(&self) -> &[Node] {
        if let Self::List(list) = self {
            list
        } else {
            &[]
        }
    }

    pub fn get(&self, name: &str) -> Option<&Node> {
        self.map()?.get(name)
    }

    /// The value at a path of members.
    pub fn at(&mut self, path: &[&str]) -> Result<&mut Node> {
        let Some((name, rest)) = path.split_first() else {
            return Ok(self);
        };
        self.map_mut()?
            .get_mut(*name)
            .with_context(|| format!("there is no {name}"))?
            .at(rest)
    }

    /// Adds `more`: objects are merged, other values replaced.
    pub fn merge(&mut self, more: Node) {
        match (self, more) {
            (Self::Map(own), Self::Map(more)) => {
                for (name, value) in more {
                    match own.get_mut(&name) {
                        Some(own) => own.merge(value),
                        None => drop(own.insert(name, value)),
                    }
                }
            }
            (own, more) => *own = more,
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
