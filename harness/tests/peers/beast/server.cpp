// An echo server on Boost.Beast, one thread per connection: messages of any size, permessage-deflate as offered.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <iostream>
#include <thread>

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;

static void echo(tcp::socket socket) {
    try {
        websocket::stream<tcp::socket> stream{std::move(socket)};
        websocket::permessage_deflate deflate;
        deflate.server_enable = true;
        stream.set_option(deflate);
        stream.read_message_max(0);
        stream.accept();
        for (;;) {
            beast::flat_buffer buffer;
            stream.read(buffer);
            stream.text(stream.got_text());
            stream.write(buffer.data());
        }
    } catch (beast::system_error const&) {
        // the peer closed, or broke a rule and Beast has already failed the connection
    }
}

int main() {
    boost::asio::io_context context{1};
    tcp::acceptor acceptor{context, {boost::asio::ip::make_address("127.0.0.1"), 0}};
    std::cout << "ws://127.0.0.1:" << acceptor.local_endpoint().port() << "/" << std::endl;
    for (;;) {
        std::thread(echo, acceptor.accept()).detach();
    }
}
