using System.Threading.Channels;
using Mesh.Core.Names;

namespace Mesh.Agent.Discovery;

/// <summary>
/// One open watch of one Service. What it must show is state, read when it gets round to writing: a reader that is slow is
/// shown the newest and costs no memory for what it missed.
/// </summary>
internal sealed class ServiceWatch(ServiceWatches owner, WatchedService service, uint user) : IDisposable
{
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public WatchedService Service => service;

    /// <summary>The user whose process watches.</summary>
    public uint User => user;

    public NamespacedName Name => service.Name;

    public void Touch() => _changed.Writer.TryWrite(true);

    public async ValueTask ChangedAsync(CancellationToken stop) => await _changed.Reader.ReadAsync(stop);

    public void Dispose() => owner.Close(this);
}
