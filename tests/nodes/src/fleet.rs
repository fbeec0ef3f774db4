//! Several nodes of one service.

use tokio::sync::watch;

use crate::{
    node::{Node, Place, Settings},
    until,
};

/// Nodes that end with this value.
#[derive(Debug)]
pub struct Fleet {
    nodes: Vec<Node>,
    settings: Vec<Settings>,
    places: watch::Sender<Vec<Place>>,
    /// How many processes have had a number.
    processes: usize,
}

impl Fleet {
    /// Starts a node with each of these settings, one after the other.
    pub async fn start(settings: impl IntoIterator<Item = Settings>) -> Self {
        let settings: Vec<Settings> = settings.into_iter().collect();
        let mut nodes = Vec::new();
        for (number, settings) in settings.iter().enumerate() {
            nodes.push(Node::start(number, settings).await);
        }
        let (places, _) = watch::channel(nodes.iter().map(Node::place).collect());
        Self {
            processes: nodes.len(),
            nodes,
            settings,
            places,
        }
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// When there is none of this number.
    pub fn node(&self, node: usize) -> &Node {
        self.nodes.get(node).expect("there is no such node")
    }

    /// Where one of them is.
    pub fn at(&self, node: usize) -> Place {
        self.node(node).place()
    }

    /// Where all of them are now.
    pub fn everywhere(&self) -> Vec<Place> {
        self.nodes.iter().map(Node::place).collect()
    }

    /// Where all of them are, also after one was started again.
    pub fn places(&self) -> watch::Receiver<Vec<Place>> {
        self.places.subscribe()
    }

    /// SIGKILL, in the middle of whatever it does.
    pub async fn kill(&mut self, node: usize) {
        self.nodes
            .get_mut(node)
            .expect("there is no such node")
            .kill()
            .await;
    }

    /// Ends one in order: what it has begun is finished.
    pub async fn end_one(&mut self, node: usize) {
        self.nodes
            .get_mut(node)
            .expect("there is no such node")
            .end()
            .await;
    }

    /// Starts a node again, somewhere else.
    pub async fn start_again(&mut self, node: usize) {
        let settings = self.settings.get(node).expect("there is no such node");
        let settings = settings.clone();
        drop(self.put(node, node, settings).await);
    }

    /// Starts a node in the place of another, which goes on and is given back. In the history it has
    /// a number of its own, as it need not know at once what the other one has done.
    pub async fn replace(&mut self, node: usize, settings: Settings) -> Node {
        let number = self.processes;
        self.processes += 1;
        self.put(node, number, settings).await
    }

    async fn put(&mut self, node: usize, number: usize, settings: Settings) -> Node {
        let started = Node::start(number, &settings).await;
        let place = started.place();
        let old = self.nodes.get_mut(node).expect("there is no such node");
        let old = std::mem::replace(old, started);
        if let Some(old) = self.settings.get_mut(node) {
            *old = settings;
        }
        self.places.send_modify(|places| {
            if let Some(old) = places.get_mut(node) {
                *old = place;
            }
        });
        old
    }

    /// Waits until a node's health is such.
    pub async fn until(&self, node: usize, what: &str, is_so: impl Fn(&serde_json::Value) -> bool) {
        until(what, async || is_so(&self.node(node).health().await)).await;
    }

    /// Waits until every node can serve and has heard of every revocation.
    pub async fn until_well(&self) {
        for node in 0..self.nodes.len() {
            self.until(node, "the node is well", |health| {
                ["is_ready", "is_fresh"]
                    .iter()
                    .all(|name| health.get(name) == Some(&true.into()))
            })
            .await;
        }
    }

    /// Ends all nodes in order.
    pub async fn end(self) {
        for mut node in self.nodes {
            node.end().await;
        }
    }

    /// Fails if something in a node panicked.
    #[track_caller]
    pub fn assert_no_panic(&self) {
        self.nodes.iter().for_each(Node::assert_no_panic);
    }
}
