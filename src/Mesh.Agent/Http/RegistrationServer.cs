using System.Net;
using Mesh.NodeLink;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Agent.Http;

/// <summary>
/// Where applications of this machine register: HTTP/1.1 on a TCP address or on <c>node.sock</c>. One instance a listener,
/// so that one can be closed and another opened while the streams of the others go on.
/// </summary>
public sealed class RegistrationServer : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly CancellationTokenSource _cut = new();
    private Task? _stopping;
    private string? _socket;

    private RegistrationServer(KestrelServer server) => _server = server;

    /// <summary>The port that was bound; 0 for the socket.</summary>
    public int Port { get; private init; }

    /// <param name="notReady">Why <c>/readyz</c> is not 200, or null when it is.</param>
    /// <param name="metrics">Answers <c>/metrics</c>; without it that is 404.</param>
    /// <param name="admit">What accepts connections: whoever starts the server says how many.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Task<RegistrationServer> ListenAsync(IPEndPoint endpoint, AgentService agent, Func<string?> notReady, ILoggerFactory loggers, CancellationToken stop, RequestDelegate? metrics = null,
        Func<IConnectionListenerFactory, IConnectionListenerFactory>? admit = null) =>
        StartAsync(kestrel => kestrel.Listen(endpoint), agent, notReady, metrics, admit, loggers, stop);

    /// <param name="socket">Path of <c>node.sock</c> in the data directory, whose lock the caller holds.</param>
    public static async Task<RegistrationServer> ListenAsync(string socket, AgentService agent, Func<string?> notReady, ILoggerFactory loggers, CancellationToken stop, RequestDelegate? metrics = null,
        Func<IConnectionListenerFactory, IConnectionListenerFactory>? admit = null)
    {
        var path = SocketPath.ForListening(socket);
        var server = await StartAsync(kestrel => kestrel.ListenUnixSocket(path), agent, notReady, metrics, admit, loggers, stop);
        server._socket = socket;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return server;
    }

    /// <summary>Accepts nothing more: Kestrel closes its socket before it waits for anything. Streams go on.</summary>
    public Task CloseAsync()
    {
        _stopping ??= _server.StopAsync(_cut.Token);
        return Task.CompletedTask;
    }

    /// <summary>The same, and waits for the end of the streams, until the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        await using var cut = deadline.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _cut);
        await CloseAsync();
        await _stopping!;
    }

    /// <summary>Closes the listener and its connections at once: streams are taken up again by their clients.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _server.Dispose();
        _cut.Dispose();
        if (_socket is not null)
        {
            SocketPath.Left(_socket);
        }
    }

    private static async Task<RegistrationServer> StartAsync(
        Action<KestrelServerOptions> listen, AgentService agent, Func<string?> notReady, RequestDelegate? metrics,
        Func<IConnectionListenerFactory, IConnectionListenerFactory>? admit, ILoggerFactory loggers, CancellationToken stop)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.ConfigureEndpointDefaults(listener => listener.Protocols = HttpProtocols.Http1);
        options.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        // The body's own limit is checked where it is read, as its answer is a Status.
        options.Limits.MaxRequestBodySize = null;
        // A stream says nothing for as long as nothing happens, and its client may be slow to read.
        options.Limits.MinResponseDataRate = null;
        listen(options);
        IConnectionListenerFactory transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers);
        var server = new KestrelServer(Options.Create(options), admit?.Invoke(transport) ?? transport, loggers);
        try
        {
            await server.StartAsync(new Application(new RegistrationApi(agent, notReady, metrics), agent.Logger), stop);
        }
        catch
        {
            server.Dispose();
            throw;
        }

        var address = server.Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()!.Addresses.Single();
        agent.Logger.Listening(address);
        return new RegistrationServer(server) { Port = Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Port > 0 ? uri.Port : 0 };
    }

    private sealed class Application(RegistrationApi api, ILogger logger) : IHttpApplication<DefaultHttpContext>
    {
        public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

        public void DisposeContext(DefaultHttpContext context, Exception? exception)
        {
        }

        public async Task ProcessRequestAsync(DefaultHttpContext context)
        {
            try
            {
                await api.HandleAsync(context);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // Nobody waits for an answer.
            }
#pragma warning disable CA1031 // The boundary of the server: a request that fails is answered with 500 and logged, and the node goes on.
            catch (Exception failed) when (failed is not Microsoft.AspNetCore.Http.BadHttpRequestException) // Kestrel answers that with its own status.
#pragma warning restore CA1031
            {
                logger.RequestFailed(failed, context.Request.Path);
                if (!context.Response.HasStarted)
                {
                    context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                }
            }
        }
    }
}
