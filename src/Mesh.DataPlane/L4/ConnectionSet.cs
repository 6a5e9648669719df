using Mesh.Core.Descriptors;
using Mesh.Core.Names;

namespace Mesh.DataPlane.L4;

/// <summary>The open connections of all Services: it owns their tasks, keeps each Service to its share of descriptors, and ends them at shutdown.</summary>
internal sealed class ConnectionSet(DescriptorBudget budget, TimeProvider time) : IDisposable
{
    private const int OfConnection = 2; // the client's and the endpoint's

    /// <summary>Between two looks of a drain for those that are idle.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ServiceConnection, Task> _open = [];
    private readonly Dictionary<NamespacedName, DescriptorShare> _shares = [];
    private readonly CancellationTokenSource _cut = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Cancelled when a drain has lasted long enough: every connection is to be reset.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>Whether the Service gets one more now.</summary>
    public bool HasRoom(NamespacedName service)
    {
        lock (_gate)
        {
            return ShareOf(service).HasRoom(OfConnection);
        }
    }

    /// <summary>False when the Service gets no more; then the connection was not started.</summary>
    public bool TryStart(ServiceConnection connection)
    {
        DescriptorShare share;
        lock (_gate)
        {
            share = ShareOf(connection.Service);
            if (!share.TryTake(OfConnection))
            {
                return false;
            }

            _shares[connection.Service] = share;
            _open.Add(connection, Task.CompletedTask);
        }

        var running = RunAsync(connection, share);
        lock (_gate)
        {
            if (_open.ContainsKey(connection))
            {
                _open[connection] = running; // it has not ended at once
            }
        }

        return true;
    }

    /// <summary>
    /// Waits until all connections have ended, and resets those that are idle; at <paramref name="deadline"/> those that are left too.
    /// </summary>
    public async Task DrainAsync(CancellationToken deadline)
    {
        var ended = Task.WhenAll(Running());
        try
        {
            using var look = new PeriodicTimer(LookEvery, time);
            do
            {
                ResetIdle();
                await Task.WhenAny(ended, look.WaitForNextTickAsync(deadline).AsTask());
                deadline.ThrowIfCancellationRequested();
            }
            while (!ended.IsCompleted);
        }
        catch (OperationCanceledException)
        {
            await _cut.CancelAsync();
        }

        await ended;
    }

    public void Dispose() => _cut.Dispose();

    private DescriptorShare ShareOf(NamespacedName service) => _shares.GetValueOrDefault(service) ?? budget.OpenFor(service);

    private async Task RunAsync(ServiceConnection connection, DescriptorShare share)
    {
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(connection);
                share.Give(OfConnection);
                if (share.Used == 0)
                {
                    _shares.Remove(connection.Service);
                }
            }
        }
    }

    private void ResetIdle()
    {
        ServiceConnection[] open;
        lock (_gate)
        {
            open = [.. _open.Keys];
        }

        foreach (var connection in open)
        {
            connection.ResetIfIdle();
        }
    }

    private Task[] Running()
    {
        lock (_gate)
        {
            return [.. _open.Values];
        }
    }
}
