// Loaded ahead of a server that would listen on every interface of the machine: keeps it to the loopback one.
import { Server } from "node:net";

const listen = Server.prototype.listen;

Server.prototype.listen = function (where, ...rest) {
    const port = Number(where);
    if (Number.isInteger(port) && typeof rest[0] !== "string") {
        return listen.call(this, port, "127.0.0.1", ...rest);
    }
    return listen.call(this, where, ...rest);
};
