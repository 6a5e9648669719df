using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;
using Mesh.Grains.Tests.Cluster;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

/// <summary>How telling a node ends: by its link's end, or by its owner, and by no other cancellation.</summary>
[Trait("Row", "CP-D8")]
public sealed class GatewayFeedTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly GatewayTable _table;
    private readonly Link _link = new();

    public GatewayFeedTests() => _table = new GatewayTable(_link.NodeName, _time);

    public void Dispose()
    {
        _link.Source.Dispose();
        _stop.Dispose();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task The_end_of_a_link_is_told_from_a_failure_also_when_nobody_can_ask_the_link_any_more(bool isTelling, bool isDisposed)
    {
        var sending = Send(isTelling);
        _link.IsDisposed = isDisposed;
        await _link.Source.CancelAsync();
        await Assert.ThrowsAsync<LinkEndedException>(() => sending);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_is_stopped_ends_by_that_also_when_its_link_has_ended(bool isTelling)
    {
        var sending = Send(isTelling);
        await _stop.CancelAsync();
        await _link.Source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    /// <summary>Waiting for something to tell, or for the node to have what it was told.</summary>
    private Task Send(bool isTelling)
    {
        var cache = new StillCache();
        if (isTelling)
        {
            _table.Put(cache.Put(Kinds.Namespace("default"), 1, """{"metadata":{"name":"default"},"status":{"phase":"Active"} }"""));
        }

        var sending = new GatewayFeed(_link, _table, _time, static _ => { }).SendAsync(_stop.Token);
        Assert.Equal(isTelling, _link.IsTold);
        return sending;
    }

    /// <summary>A node that never answers; its end can be asked for until it is disposed.</summary>
    private sealed class Link : IGatewayLink
    {
        public CancellationTokenSource Source { get; } = new();

        public bool IsTold { get; private set; }

        public string NodeName => "n1";

        public NodeSession Session { get; } = new("s1", 1, 1, "127.0.0.1", "test");

        public TimeSpan Silence => TimeSpan.Zero;

        public ReadOnlyMemory<byte> DefaultCertificate => default;

        public bool IsDisposed { get; set; }

        public CancellationToken Ended => IsDisposed ? throw new ObjectDisposedException(nameof(Link)) : Source.Token;

        public Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
        {
            IsTold = true;
            return new TaskCompletionSource().Task.WaitAsync(stop);
        }

        public void RequestInventory(string ns) => throw new NotSupportedException();
    }
}
