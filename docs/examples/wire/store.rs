// A store, driven over stdin and stdout. All its shards move together: meanwhile there are two copies, and writes go to
// both; documents are copied one by one, then the owner changes. It needs serde_json: `cargo add serde_json`.
use serde_json::{json, Value};
use std::collections::BTreeMap;

#[derive(Default)]
struct Store {
    copies: BTreeMap<String, BTreeMap<String, Value>>, // node -> key -> value, null if deleted: one copy, or two
    owner: String,                                     // which node has the documents
    target: String,                                    // and which is to have them
    todo: Vec<String>,                                 // keys that are still to be copied
}

fn main() {
    let mut store = Store::default();
    for line in std::io::stdin().lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let asked = &message["body"];
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_string();
        let mut reply = json!({"type": text("type") + "_ok", "in_reply_to": asked["msg_id"]});
        match text("type").as_str() {
            "init" | "reset" => {
                store = Store {
                    owner: asked["nodes"][0].as_str().unwrap().to_string(),
                    ..Store::default()
                };
                store.copies.insert(store.owner.clone(), BTreeMap::new());
            }
            "put" | "delete" => {
                for copy in store.copies.values_mut() {
                    copy.insert(text("key"), asked["value"].clone());
                }
            }
            "get" => reply["value"] = json!(store.copies[&store.owner].get(&text("key"))),
            "begin_migration" => {
                store.target = text("node");
                store.todo = store.copies[&store.owner].keys().cloned().collect();
                store.copies.insert(text("node"), BTreeMap::new());
                reply["phase"] = json!("copy");
            }
            "advance" => {
                reply["went"] = json!(store.copies.len() == 2);
                if let Some(key) = store.todo.pop() {
                    let value = store.copies[&store.owner][&key].clone();
                    store.copies.get_mut(&store.target).unwrap().insert(key, value);
                    reply["phase"] = json!("copy");
                } else {
                    if store.copies.len() == 2 {
                        store.copies.remove(&store.owner);
                        store.owner = store.target.clone();
                    }
                    reply["phase"] = json!("idle");
                }
            }
            _ => reply = json!({"type": "error", "code": 10, "in_reply_to": asked["msg_id"]}), // not supported
        }
        println!("{}", json!({"src": "s", "dest": message["src"], "body": reply}));
    }
}
