using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>
/// The silo's end of the link, on a unix socket of its own that only this user can reach (the socket is 0600 in a 0700
/// directory): no other listener of the silo serves it.
/// </summary>
/// <param name="socket">Path of <c>link.sock</c> in the data directory, whose lock the caller holds.</param>
/// <param name="random">Makes the session ids.</param>
/// <param name="metrics">Answers with what the silo measured, for the page of this machine's node.</param>
public sealed class LinkServer(
    string socket, ILinkSessionHandler handler, Random random, TimeProvider time, ILoggerFactory loggers, RequestDelegate? metrics = null)
    : IHostedService, IAsyncDisposable
{
    internal const string MetricsPath = "/metrics";

    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var path = SocketPath.ForListening(socket);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(new LinkEndpoint(handler, random, time, loggers.CreateLogger<LinkServer>(), _stopping.Token));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = LinkLimits.MessageBytes;
            grpc.MaxSendMessageSize = LinkLimits.MessageBytes;
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            // A quiet link is a healthy link; the pings tell a dead one.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.KeepAlivePingDelay = LinkLimits.KeepAlive;
            kestrel.Limits.Http2.KeepAlivePingTimeout = LinkLimits.KeepAlive;
            kestrel.ListenUnixSocket(path, listener => listener.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.MapGrpcService<LinkEndpoint>();
        if (metrics is not null)
        {
            _app.MapGet(MetricsPath, metrics);
        }

        await _app.StartAsync(cancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            await _app.StopAsync(cancellationToken);
            SocketPath.Left(socket);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        _stopping.Dispose();
    }
}
