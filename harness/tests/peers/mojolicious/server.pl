#!/usr/bin/env perl
# An echo server on Mojolicious: messages up to 64 MiB, permessage-deflate offered to whoever asks.
use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;

app->log->level('fatal');

websocket '/*any' => {any => ''} => sub ($c) {
  $c->tx->max_websocket_size(64 * 1024 * 1024)->with_compression;
  $c->on(text   => sub ($c, $bytes) { $c->send({text   => $bytes}) });
  $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
};

my $daemon = Mojo::Server::Daemon->new(app => app, listen => ['http://127.0.0.1'], silent => 1);
$daemon->start;
$| = 1;
say 'ws://127.0.0.1:', $daemon->ports->[0], '/';
Mojo::IOLoop->start unless Mojo::IOLoop->is_running;
