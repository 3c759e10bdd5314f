"""A protocol explored by hand: a page in the browser, and behind it a server for this machine alone.

    walk = Walk(protocol, settings)
    walk.at(Place(path=(3, 0)))                  # the run so far, what can be done now and what cannot, and why
    with Server(walk) as server:                 # 127.0.0.1 alone, and a token in the address
        print(server.address)
        server.serve_forever()

`walk.py` answers what a page asks, `jumps.py` looks for a run to a property, `page.py` is the page, and `server.py`
refuses whoever is not that page. Nothing is kept between two requests: each says the whole way, in numbers of steps.
"""

__all__ = ["jumps", "page", "server", "walk"]
