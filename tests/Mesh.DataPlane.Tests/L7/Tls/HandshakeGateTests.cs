using Mesh.DataPlane.L7.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Tls;

/// <summary>Which handshake loses its place, and that none does which is done.</summary>
public sealed class HandshakeGateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    [Trait("Row", "REL-X11")]
    public void A_handshake_that_is_finished_is_cut_by_nothing()
    {
        var gate = new HandshakeGate(1);
        var (connection, handshake) = Some();
        handshake.Start();
        gate.Enter(handshake);
        Assert.Equal(HandshakeResult.Done, handshake.Finish());
        gate.Enter(Some().Handshake);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(connection.IsCut);
        Assert.Equal(HandshakeResult.Done, handshake.Finish());
    }

    [Fact]
    [Trait("Row", "REL-X11")]
    public void A_handshake_that_was_cut_does_not_finish()
    {
        var (connection, handshake) = Some();
        handshake.Start();
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(connection.IsCut);
        handshake.Cut(HandshakeResult.CrowdedOut);
        Assert.Equal(HandshakeResult.TimedOut, handshake.Finish());
    }

    [Fact]
    [Trait("Row", "REL-X11")]
    public void Those_whose_hello_is_not_whole_lose_their_place_first_and_keep_a_quarter()
    {
        var gate = new HandshakeGate(8);
        var all = new List<Connection>();
        for (var index = 0; index < 8; index++)
        {
            var (connection, handshake) = Some();
            all.Add(connection);
            var entered = gate.Enter(handshake);
            if (index < 5)
            {
                gate.Hear(entered); // the five oldest; three are silent
            }
        }

        gate.Enter(Some().Handshake);
        Assert.Equal([5], Cut()); // the oldest that is silent
        gate.Hear(gate.Enter(Some().Handshake));
        Assert.Equal([5, 6], Cut()); // two are silent, six are not
        gate.Hear(gate.Enter(Some().Handshake));
        Assert.Equal([5, 6, 7], Cut());
        gate.Enter(Some().Handshake);
        Assert.Equal([0, 5, 6, 7], Cut()); // two are silent with the new one, a quarter

        IEnumerable<int> Cut() => Enumerable.Range(0, all.Count).Where(index => all[index].IsCut);
    }

    [Fact]
    [Trait("Row", "REL-X11")]
    public void Those_that_stall_after_their_hello_close_the_port_to_nobody()
    {
        var gate = new HandshakeGate(8);
        var stalling = new List<Connection>();
        for (var index = 0; index < 8; index++)
        {
            var (connection, handshake) = Some();
            stalling.Add(connection);
            gate.Hear(gate.Enter(handshake));
        }

        var (first, one) = Some();
        var (second, two) = Some();
        gate.Enter(one);
        gate.Enter(two);
        Assert.False(first.IsCut || second.IsCut);
        Assert.Equal([true, true, false], stalling.Take(3).Select(connection => connection.IsCut));
    }

    private (Connection Connection, Handshake Handshake) Some()
    {
        var connection = new Connection();
        return (connection, new Handshake(connection, TimeSpan.FromSeconds(5), _time));
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsCut { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsCut = true;
    }
}
