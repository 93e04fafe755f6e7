# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# An agent's socket served by a Ruby thread of this very process, which hands every message on to an
# agent elsewhere: a question that keeps the lock for itself gets no answer from it.
require 'socket'

class Relay
  MESSAGE_MAX = 1 << 17

  def initialize(listen, forward)
    @forward = forward
    @listener = open_socket
    @listener.bind(Socket.pack_sockaddr_un(listen))
    @listener.listen(64)
    @thread = Thread.new { loop { serve(@listener.accept.first) } }
  end

  def stop
    @thread.kill.join
    @listener.close
  end

  private

  def open_socket
    Socket.new(:UNIX, :SEQPACKET)
  end

  def serve(client)
    agent = open_socket
    agent.connect(Socket.pack_sockaddr_un(@forward))
    agent.send(client.recv(MESSAGE_MAX), 0)
    client.send(agent.recv(MESSAGE_MAX), 0)
  ensure
    client.close
    agent.close
  end
end
