// One end of a channel in Node's words: what tests/process/programs/t_channel.cpp is in C++.
//   node peer.js child
//   node peer.js parent [advanced] <program> [arguments...]
'use strict';
const { spawn, execFileSync } = require('child_process');
const dgram = require('dgram');
const fs = require('fs');
const net = require('net');

const words = process.argv.slice(2);
const isChild = words.shift() === 'child';
const serialization = words[0] === 'advanced' ? words.shift() : 'json';
const other = isChild ? process : spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization });

const open = {};
let echoes = isChild;
let expected = 0;
let next = 0;
let ended = 0;
let unwritten = 0;
let leave = null;

function say(what) {
  const line = Buffer.from(JSON.stringify(what) + '\n');
  for (let done = 0; done < line.length;) done += fs.writeSync(isChild ? 2 : 1, line, done);
}

const serve = {
  'socket': (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(`node ${isChild ? 'child' : 'parent'} ${data}`));
    socket.resume();
  },
  'server': (server) => server.on('connection', serve.socket),
  'datagram': (socket) => socket.on('message', (data, from) => {
    socket.send(`node ${isChild ? 'child' : 'parent'} ${data}`, from.port, from.address);
  }),
  'native': () => {},
};

function kindOf(handle) {
  if (handle instanceof net.Server) return 'server';
  if (handle instanceof net.Socket) return 'socket';
  if (handle instanceof dgram.Socket) return 'datagram';
  return 'native';
}

function takeNumbered(number) {
  if (number !== next) say({ disorder: { due: next, came: number } });
  next = number + 1;
  if (next < expected) return;
  expected = 0;
  say({ got_all: next });
}

function take(message, handle) {
  if (message !== null && typeof message === 'object' && 'do' in message) {
    obey(message, (answer) => other.send(answer));
    return;
  }
  if (expected > 0 && message !== null && typeof message === 'object' && 'n' in message) {
    takeNumbered(message.n);
    if (handle) serve[kindOf(handle)](handle);
    return;
  }
  if (handle) {
    say({ handle: kindOf(handle), message });
    serve[kindOf(handle)](handle);
  } else if (echoes) {
    other.send(message);
  } else {
    say({ message });
  }
}

const commands = {
  send: (command) => {
    const told = 'tell' in command
      ? (error) => say({ sent: command.tell, failure: error ? { code: error.code } : null }) : undefined;
    const handle = open[command.handle];
    try {
      other.send(command.message, handle, { keepOpen: command.keepOpen === true }, told);
    } catch (error) {
      say({ sent: command.tell, failure: { code: error.code } });
    }
  },
  send_undefined: () => {
    try {
      other.send(undefined);
    } catch (error) {
      return { code: error.code };
    }
    return {};
  },
  flood: (command) => {
    const pad = command.size ? { pad: 'x'.repeat(command.size) } : {};
    unwritten += command.count;
    const written = () => {
      if (--unwritten === 0 && leave) leave();
    };
    for (let n = 0; n < command.count; ++n) other.send({ n, ...pad }, undefined, {}, written);
    say({ flooded: command.count });
  },
  expect: (command) => {
    next = 0;
    expected = command.count;
    return {};
  },
  echo: (command) => {
    echoes = command.on;
    return {};
  },
  // What is not with the kernel yet is lost where Node disconnects or ends: both wait for it.
  disconnect: () => leaveOnceWritten(() => other.disconnect()),
  exit: (command) => leaveOnceWritten(() => process.exit(command.code)),
  kill: (command) => process.kill(process.pid, command.signal),
  kill_child: (command) => ({ done: process.kill(other.pid, command.signal) }),
  pid: () => ({ pid: other.pid }),
  connected: () => ({ connected: other.connected }),
  listen: (command, answer) => {
    let number = 0;
    const passes = command.as === 'pass';
    const server = net.createServer({ pauseOnConnect: passes }, (socket) => {
      if (!passes) return;
      other.send({ n: number });
      other.send({ n: number + 1 }, socket);
      number += 2;
    });
    open[command.name] = server;
    server.listen(0, '127.0.0.1', 512, () => answer({ port: server.address().port }));
  },
  udp: (command, answer) => {
    const socket = dgram.createSocket('udp4');
    open[command.name] = socket;
    socket.bind(0, '127.0.0.1', () => answer({ port: socket.address().port }));
  },
  connect: (command, answer) => {
    const socket = net.connect(command.port, '127.0.0.1', () => answer({ port: socket.localPort }));
    open[command.name] = socket;
  },
  connections: (command, answer) => {
    open[command.name].getConnections((error, count) => answer({ count, error: error ? error.code : null }));
  },
  close: (command) => {
    open[command.name].close(() => say({ closed: command.name }));
    return {};
  },
  // Until somebody opens the other end.
  block: (command) => {
    say({ blocks: true });
    fs.closeSync(fs.openSync(command.path, 'r'));
    return {};
  },
  look: () => ({ text: execFileSync('/bin/sh', ['-c', 'env; ls -l /proc/self/fd']).toString() }),
};

function obey(command, reply) {
  const answer = (fields) => reply({ id: command.id || 0, ...fields });
  const fields = commands[command.do](command, answer);
  if (fields && typeof fields === 'object') answer(fields);
}

function leaveOnceWritten(how) {
  if (unwritten === 0) how();
  else leave = how;
}

other.on('message', take);
other.on('disconnect', () => {
  say({ disconnect: true });
  leaveIfOver();
});
other.on('error', (error) => say({ error: { code: error.code, reason: error.message } }));
process.on('warning', (warning) => say({ warning: warning.name }));
if (!isChild) {
  other.on('exit', (code, signal) => {
    say({ exit: { code, signal } });
    leaveIfOver();
  });
  let kept = '';
  process.stdin.setEncoding('utf8').on('data', (text) => {
    const lines = (kept + text).split('\n');
    kept = lines.pop();
    for (const line of lines) if (line) obey(JSON.parse(line), (reply) => say({ reply }));
  });
}

function leaveIfOver() {
  if (!isChild && ++ended === 2) process.stdin.destroy();
}
