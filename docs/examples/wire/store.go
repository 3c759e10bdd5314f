// A store, driven over stdin and stdout. All its shards move together: meanwhile there are two copies, and writes go to
// both; documents are copied one by one, then the owner changes. It is built by `go build store.go`.
package main

import (
	"encoding/json"
	"os"
	"sort"
)

type object = map[string]any
type message struct {
	Src  string
	Body struct {
		Type, Key, Node string
		Value           any
		Nodes           []string
		Msg_id          int
	}
}

func main() {
	var copies map[string]object // node -> key -> value, nil if deleted: one copy, or two during a migration
	var owner, target string     // which node has the documents, and which is to have them
	var todo []string            // keys that are still to be copied
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for m := new(message); in.Decode(m) == nil; m = new(message) {
		asked := m.Body
		reply := object{"type": asked.Type + "_ok", "in_reply_to": asked.Msg_id}
		switch asked.Type {
		case "init", "reset":
			owner, todo, copies = asked.Nodes[0], nil, map[string]object{asked.Nodes[0]: {}}
		case "put", "delete":
			for _, copy := range copies {
				copy[asked.Key] = asked.Value
			}
		case "get":
			reply["value"] = copies[owner][asked.Key]
		case "begin_migration":
			for key := range copies[owner] {
				todo = append(todo, key)
			}
			sort.Strings(todo) // the same calls give the same run
			target, copies[asked.Node], reply["phase"] = asked.Node, object{}, "copy"
		case "advance":
			reply["went"], reply["phase"] = len(copies) == 2, "idle"
			if len(todo) > 0 {
				copies[target][todo[0]] = copies[owner][todo[0]]
				todo, reply["phase"] = todo[1:], "copy"
			} else if len(copies) == 2 {
				delete(copies, owner)
				owner = target
			}
		default:
			reply["type"], reply["code"] = "error", 10 // not supported
		}
		out.Encode(object{"src": "s", "dest": m.Src, "body": reply})
	}
}
