using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Listening;

/// <summary>
/// What one option listens on: a listener for each address that it means, which come and go with those of the machine.
/// An address that cannot be listened on is reported once and tried again; the others are not kept waiting.
/// </summary>
/// <param name="name">As logs and Events call it.</param>
/// <param name="options">A wildcard means each address of the machine, port 0 one free port for all of them.</param>
/// <param name="open">Opens one address; a <see cref="SocketException"/> tells why it cannot.</param>
public sealed class AddressListeners(
    string name,
    ImmutableArray<IPEndPoint> options,
    Func<IPEndPoint, CancellationToken, Task<IAddressListener>> open,
    Func<IEnumerable<IPAddress>> machine,
    TimeSpan lookEvery,
    IPortProblems problems,
    ProcessLoops loops,
    TimeProvider time,
    ILogger log) : IAsyncDisposable
{
    private readonly Dictionary<IPEndPoint, IAddressListener?> _listeners = [];
    private readonly PortReports _reports = new(name, problems, loops, time, log);
    private readonly CancellationTokenSource _stop = new();
    private readonly bool _followsMachine = options.Any(ListenAddresses.IsWildcard);
    private volatile Listening _now = new([], null);
    private Task _following = Task.CompletedTask;
    private bool _isStopped;
    private bool _isDisposed;

    /// <summary>The addresses listened on now, with the ports that were chosen.</summary>
    public ImmutableArray<IPEndPoint> Addresses => _now.Addresses;

    /// <summary>Null while at least one address is listened on.</summary>
    public string? WhyNotListening => _now.Addresses.IsEmpty ? $"{name} listens on none of its addresses{_now.Problem}" : null;

    /// <summary>Completes when every address that can be listened on is. When it throws, nothing is listened on and all is disposed.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _reports.Start();
            await ListenAsync(cancellationToken);
            _following = loops.RunAsync($"{name} addresses", FollowAsync, _stop.Token);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Accepts nothing more; completes when the addresses are free. What is under way goes on.</summary>
    public async Task CloseAsync()
    {
        await _stop.CancelAsync();
        await _following;
        await Task.WhenAll(_listeners.Values.OfType<IAddressListener>().Select(static listener => listener.CloseAsync()));
    }

    /// <summary>The same, and lets what is under way end, until the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        await CloseAsync();
        await Task.WhenAll(_listeners.Values.OfType<IAddressListener>().Select(listener => listener.StopAsync(deadline)));
        foreach (var listener in _listeners.Values.OfType<IAddressListener>())
        {
            await listener.DisposeAsync();
        }

        _listeners.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await StopAsync(new CancellationToken(canceled: true));
        await _reports.DisposeAsync();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(lookEvery, time);
        while (await tick.WaitForNextTickAsync(stop))
        {
            if (_followsMachine || _listeners.ContainsValue(null))
            {
                await LookAgainAsync(stop);
            }
        }
    }

    private async Task LookAgainAsync(CancellationToken stop)
    {
        try
        {
            await ListenAsync(stop);
        }
        catch (Exception unknown) when (unknown is NetworkInformationException or IOException)
        {
            // The kernel does not tell the machine's addresses now (no descriptor is free): those there are stay.
            DataPlaneLog.AddressesUnknown(log, name, unknown.Message);
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        var addresses = _followsMachine ? machine().ToImmutableArray() : [];
        var wanted = options.SelectMany(option => ListenAddresses.Expand(option, addresses)).ToHashSet();
        foreach (var (address, listener) in _listeners.Where(entry => !wanted.Contains(entry.Key)).ToList())
        {
            await CloseAsync(address, listener);
        }

        string? problem = null;
        foreach (var address in wanted.Where(address => _listeners.GetValueOrDefault(address) is null))
        {
            problem = await OpenAsync(address, stop) ?? problem;
        }

        _now = new Listening([.. _listeners.Values.OfType<IAddressListener>().Select(listener => listener.Address)], problem is null ? null : $": {problem}");
    }

    /// <summary>The machine has lost the address, and its connections with it.</summary>
    private async Task CloseAsync(IPEndPoint address, IAddressListener? listener)
    {
        _listeners.Remove(address);
        if (listener is null)
        {
            _reports.Solved(null, address);
            return;
        }

        await listener.DisposeAsync();
        DataPlaneLog.AddressClosed(log, name, listener.Address);
    }

    /// <summary>Why the address cannot be listened on; null when it is.</summary>
    private async Task<string?> OpenAsync(IPEndPoint address, CancellationToken stop)
    {
        var isRetry = _listeners.ContainsKey(address);
        try
        {
            var listener = await open(PortOf(address), stop);
            _listeners[address] = listener;
            DataPlaneLog.AddressOpened(log, name, listener.Address);
            if (isRetry)
            {
                _reports.Solved(null, address);
            }

            return null;
        }
        catch (SocketException e)
        {
            _listeners[address] = null;
            if (!isRetry)
            {
                _reports.Failed(new PortFailure(null, address, PortCause.Refused.By(e, null)));
            }

            return e.Message;
        }
    }

    /// <summary>With port 0, the port that the first address of the option was given: they are one listener to its user.</summary>
    private IPEndPoint PortOf(IPEndPoint address) => address.Port == 0
        && _listeners.FirstOrDefault(entry => entry.Key.Port == 0 && entry.Value is not null).Value is { } first
            ? new IPEndPoint(address.Address, first.Address.Port)
            : address;

    private sealed record Listening(ImmutableArray<IPEndPoint> Addresses, string? Problem);
}
