using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.DataPlane.L7.Strict;
using Mesh.DataPlane.L7.Tls;
using Mesh.DataPlane.Listening;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.L7;

/// <summary>One address of the gateway: a Kestrel of its own, so that an address comes and goes without touching another's connections.</summary>
internal sealed class IngressListener : IAddressListener
{
    private readonly KestrelServer _server;
    private readonly CancellationTokenSource _cut = new();
    private Task? _stopping;

    private IngressListener(KestrelServer server, IPEndPoint address)
    {
        _server = server;
        Address = address;
    }

    public IPEndPoint Address { get; }

    /// <exception cref="SocketException">The port is taken or not permitted.</exception>
    public static async Task<IngressListener> StartAsync(
        IPEndPoint address, IngressOptions options, IngressApplication application, TlsStep? tls, TimeProvider time, ILogger accessLog, CancellationToken stop)
    {
        var server = new KestrelServer(
            Options.Create(Configure(address, options with { IsTls = tls is not null }, tls, time, accessLog)),
            options.Admit(new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), NullLoggerFactory.Instance)),
            NullLoggerFactory.Instance);
        try
        {
            await server.StartAsync(application, stop);
            var bound = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
            return new IngressListener(server, new IPEndPoint(address.Address, bound.Port));
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            server.Dispose();
            throw new SocketException((int)SocketError.AddressAlreadyInUse);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Kestrel closes its socket before it waits for anything.</summary>
    public Task CloseAsync()
    {
        _stopping ??= _server.StopAsync(_cut.Token);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken deadline)
    {
        await using var cut = deadline.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _cut);
        await CloseAsync();
        await _stopping!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _server.Dispose();
        _cut.Dispose();
    }

    /// <summary>A request that was refused before there was a request; told as every other one.</summary>
    public static void Refused(Refusal refusal, string client, IngressOptions options, ILogger accessLog)
    {
        IngressTracing.Refused(refusal, client, options.IsTls ? "https" : "http");
        DataPlaneMetrics.Refused(refusal);
        DataPlaneLog.Refused(accessLog, refusal.Status, refusal.Reason.ToString(), refusal.Detail, client);
    }

    private static Socket Bind(EndPoint address)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(address);
        TcpKeepAlive.Enable(socket);
        return socket;
    }

    private static KestrelServerOptions Configure(IPEndPoint address, IngressOptions options, TlsStep? tls, TimeProvider time, ILogger accessLog)
    {
        var kestrel = new KestrelServerOptions
        {
            AddServerHeader = false,
            AllowSynchronousIO = false,
            AllowResponseHeaderCompression = false,
            // Header values are bytes to a proxy (RFC 9110 §5.5): Latin-1 keeps each as it is.
            RequestHeaderEncodingSelector = static _ => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };
        kestrel.Limits.KeepAliveTimeout = options.KeepAliveTimeout;
        kestrel.Limits.MaxRequestBodySize = null;
        // No body is too slow. Its silence is limited by AnswerDeadline, as long as it lasts: the answer is read behind it.
        kestrel.Limits.MinRequestBodyDataRate = null;
        // The strict reader answers first, with a sentence; these only have to be no smaller.
        kestrel.Limits.MaxRequestLineSize = options.MaxRequestLine + 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = options.MaxHeaderBytes + 1024;
        kestrel.Limits.MaxRequestHeaderCount = options.MaxHeaders + 1;
        kestrel.Limits.MaxRequestBufferSize = Math.Max(1024 * 1024, options.MaxRequestLine + options.MaxHeaderBytes);
        kestrel.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (tls is not null)
            {
                listen.Use(next => connection => tls.ServeAsync(next, connection));
            }

            // In front of the parser: it repairs what it reads, and shows nothing of that.
            listen.Use(next => connection => ServeAsync(next, connection, options, time, accessLog));
        });
        return kestrel;
    }

    private static async Task ServeAsync(ConnectionDelegate next, ConnectionContext connection, IngressOptions options, TimeProvider time, ILogger accessLog)
    {
        var client = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "";
        using var presence = new ClientPresence(connection, options.HalfClosedTimeout, time);
        var writer = new CountedWriter(connection.Transport.Output, presence.Leave);
        var reader = new StrictRequestReader(connection.Transport.Input, writer, options, time, refusal => Refused(refusal, client, options, accessLog), presence.Leave);
        connection.Features.Set<IStrictConnection>(reader);
        connection.Transport = new StrictTransport(reader, writer);
        connection.ConnectionClosed = presence.Gone;
        await next(connection);
    }

    private sealed record StrictTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
