using System.Net;
using Mesh.Core.Descriptors;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Hosting.Sockets;

/// <summary>
/// Lets a server of Kestrel accept as many connections as its share of descriptors has: then nobody more is accepted, and
/// whoever comes waits in the backlog until one has gone. (Kestrel's own limit accepts and closes, and takes descriptors for that.)
/// </summary>
public sealed class SharedTransport(IConnectionListenerFactory inner, DescriptorShare share, TimeProvider time) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => inner is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new SharedListener(await inner.BindAsync(endpoint, cancellationToken), share, time);

    private sealed class SharedListener(IConnectionListener inner, DescriptorShare share, TimeProvider time) : IConnectionListener
    {
        private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
            while (!share.TryTake())
            {
                await Task.Delay(LookAgain, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (either.IsCancellationRequested)
                {
                    return null;
                }
            }

            ConnectionContext? accepted = null;
            try
            {
                accepted = await inner.AcceptAsync(cancellationToken);
                return accepted is null ? null : new SharedConnection(accepted, share);
            }
            finally
            {
                if (accepted is null)
                {
                    share.Give();
                }
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _unbound.CancelAsync();
            await inner.UnbindAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _unbound.CancelAsync();
            await inner.DisposeAsync();
        }
    }

    private sealed class SharedConnection(ConnectionContext inner, DescriptorShare share) : ConnectionContext
    {
        private int _isDisposed;

        public override string ConnectionId
        {
            get => inner.ConnectionId;
            set => inner.ConnectionId = value;
        }

        public override Microsoft.AspNetCore.Http.Features.IFeatureCollection Features => inner.Features;

        public override IDictionary<object, object?> Items
        {
            get => inner.Items;
            set => inner.Items = value;
        }

        public override System.IO.Pipelines.IDuplexPipe Transport
        {
            get => inner.Transport;
            set => inner.Transport = value;
        }

        public override CancellationToken ConnectionClosed
        {
            get => inner.ConnectionClosed;
            set => inner.ConnectionClosed = value;
        }

        public override EndPoint? LocalEndPoint
        {
            get => inner.LocalEndPoint;
            set => inner.LocalEndPoint = value;
        }

        public override EndPoint? RemoteEndPoint
        {
            get => inner.RemoteEndPoint;
            set => inner.RemoteEndPoint = value;
        }

        public override void Abort(ConnectionAbortedException abortReason) => inner.Abort(abortReason);

        public override async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                await inner.DisposeAsync();
                share.Give();
            }

            await base.DisposeAsync();
        }
    }
}
