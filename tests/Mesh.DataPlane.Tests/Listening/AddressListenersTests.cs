using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.Listening;

/// <summary>One option on a machine whose addresses change, over real sockets.</summary>
public sealed class AddressListenersTests
{
    private const int Limit = 60_000;
    private const int TooManyOpenFiles = 24;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Problems _problems = new();
    private readonly IPAddress _first = L4Host.FreeClusterIP().Address;
    private readonly IPAddress _second = L4Host.FreeClusterIP().Address;
    private IPAddress[] _machine = [];
    private readonly WatchedLoops _loops = new();
    private bool _machineFails;
    private Exception? _machineFault;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task A_wildcard_is_127_0_0_1_and_each_address_of_the_machine_on_one_port()
    {
        _machine = [_first, _second];
        await using var listeners = Any();
        await listeners.StartAsync(Stop);

        var port = listeners.Addresses[0].Port;
        Assert.Equal([new(IPAddress.Loopback, port), new(_first, port), new(_second, port)], listeners.Addresses.ToHashSet());
        foreach (var address in listeners.Addresses)
        {
            (await RawClient.ConnectAsync(address, Stop)).Dispose();
        }
    }

    [Fact(Timeout = Limit)]
    public async Task An_address_that_comes_is_listened_on_and_one_that_goes_is_not_and_the_others_stay()
    {
        _machine = [_first];
        await using var listeners = Any();
        await listeners.StartAsync(Stop);
        var port = listeners.Addresses[0].Port;
        using var kept = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Stop);

        _machine = [_second];
        _time.Advance(Second);
        await UntilAsync(listeners, now => now.Contains(new IPEndPoint(_second, port)) && !now.Contains(new IPEndPoint(_first, port)));

        (await RawClient.ConnectAsync(new IPEndPoint(_second, port), Stop)).Dispose();
        await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(new IPEndPoint(_first, port), Stop));
        Assert.True(kept.Socket.Poll(0, SelectMode.SelectWrite) && !kept.Socket.Poll(0, SelectMode.SelectRead));
    }

    [Fact(Timeout = Limit)]
    public async Task A_machine_that_cannot_tell_its_addresses_loses_none_and_is_asked_again()
    {
        _machine = [_first];
        await using var listeners = Any();
        await listeners.StartAsync(Stop);
        var port = listeners.Addresses[0].Port;

        _machineFails = true;
        _time.Advance(Second);
        await UntilAsync(listeners, _ => !Volatile.Read(ref _machineFails)); // asked, in vain
        Assert.Contains(new IPEndPoint(_first, port), listeners.Addresses);

        _machine = [_first, _second];
        _time.Advance(Second);
        await UntilAsync(listeners, now => now.Contains(new IPEndPoint(_first, port)) && now.Contains(new IPEndPoint(_second, port)));
    }

    [Fact(Timeout = Limit)]
    public async Task A_taken_address_is_told_once_and_served_when_it_is_free_and_keeps_no_other_waiting()
    {
        using var holder = new TcpListener(_first, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        _machine = [_first];
        await using var listeners = Any(port);
        await listeners.StartAsync(Stop);
        Assert.Equal([new(IPAddress.Loopback, port)], listeners.Addresses);
        Assert.IsType<PortProblem.Taken>(await _problems.ReportedAsync(Stop));

        holder.Stop();
        _time.Advance(Second);
        Assert.Equal(new IPEndPoint(_first, port), await _problems.SolvedAsync(Stop));
        await UntilAsync(listeners, now => now.Length == 2);
    }

    [Fact(Timeout = Limit)]
    public async Task A_taken_address_that_the_machine_loses_is_a_problem_no_longer()
    {
        using var holder = new TcpListener(_first, 0);
        holder.Start();
        _machine = [_first];
        await using var listeners = Any(((IPEndPoint)holder.LocalEndpoint).Port);
        await listeners.StartAsync(Stop);
        await _problems.ReportedAsync(Stop);

        _machine = [];
        _time.Advance(Second);

        Assert.Equal(_first, (await _problems.SolvedAsync(Stop)).Address);
    }

    [Fact(Timeout = Limit)]
    public async Task An_option_without_one_free_address_tells_why()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        await using var listeners = Any(((IPEndPoint)holder.LocalEndpoint).Port);
        await listeners.StartAsync(Stop);

        Assert.StartsWith("Test listens on none of its addresses: ", listeners.WhyNotListening, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "{name} addresses")]
    public async Task An_exception_while_the_machine_is_looked_at_ends_no_looking()
    {
        await using var listeners = Any();
        await listeners.StartAsync(Stop);
        _machineFault = PlantedTime.Planted();
        _machineFails = true;
        _time.Advance(Second);
        await _loops.EndedAsync("Test addresses", Stop);

        _machine = [_first];
        await UntilAsync(listeners, now => now.Length == 2, () => _time.Advance(Second));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    public async Task One_that_could_not_start_leaves_nothing_that_listens()
    {
        var port = L4Host.FreeClusterIP().Port;
        var opened = new List<Bound>();
        await using var listeners = Listeners(
            [new(_first, port), new(IPAddress.Any, 0)],
            address =>
            {
                opened.Add(new Bound(address));
                return opened.Count == 1 ? opened[0] : throw new NetworkInformationException(TooManyOpenFiles);
            });
        await Assert.ThrowsAsync<NetworkInformationException>(() => listeners.StartAsync(Stop));
        await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(new IPEndPoint(_first, port), Stop));
        foreach (var bound in opened)
        {
            await bound.DisposeAsync();
        }
    }

    private AddressListeners Any(int port = 0) => Listeners([new IPEndPoint(IPAddress.Any, port)], static address => new Bound(address));

    private AddressListeners Listeners(IPEndPoint[] options, Func<IPEndPoint, Bound> open) => new(
        "Test",
        [.. options],
        (address, _) => Task.FromResult<IAddressListener>(open(address)),
        () => Interlocked.Exchange(ref _machineFails, false) ? throw _machineFault ?? new NetworkInformationException(TooManyOpenFiles) : Volatile.Read(ref _machine),
        Second,
        _problems,
        _loops.Loops,
        _time,
        NullLogger.Instance);

    private static async Task UntilAsync(AddressListeners listeners, Func<System.Collections.Immutable.ImmutableArray<IPEndPoint>, bool> fits, Action? meanwhile = null)
    {
        while (!fits(listeners.Addresses))
        {
            meanwhile?.Invoke();
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }

    private sealed class Bound : IAddressListener
    {
        private readonly TcpListener _listener;

        public Bound(IPEndPoint address)
        {
            _listener = new TcpListener(address);
            _listener.Start();
        }

        public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

        public Task CloseAsync() => DisposeAsync().AsTask();

        public Task StopAsync(CancellationToken deadline) => DisposeAsync().AsTask();

        public ValueTask DisposeAsync()
        {
            _listener.Stop();
            return ValueTask.CompletedTask;
        }
    }
}
