using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Mesh.Client.Tests.Discovery.Wire;
using Mesh.Testing.Routing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests.Discovery;

/// <summary>A Pod's server: says its name and the Host that it was called by, over HTTP/1.1 at one port and gRPC (h2c) at another.</summary>
internal sealed class KitchenServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private KitchenServer(WebApplication app, string name) => (_app, Name) = (app, name);

    public string Name { get; }

    public int Port => PortAt(0);

    public int GrpcPort => PortAt(1);

    /// <summary>Methods of the requests that arrived.</summary>
    public ConcurrentQueue<string> Received { get; } = new();

    /// <summary>Set: requests are answered by this.</summary>
    public RequestDelegate? Answer { get; set; }

    public static async Task<KitchenServer> StartAsync(string name, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new Cook(name));
        var app = builder.Build();
        var server = new KitchenServer(app, name);
        app.MapGrpcService<Cook>();
        app.MapFallback(async context =>
        {
            server.Received.Enqueue(context.Request.Method);
            await (server.Answer ?? (plain => plain.Response.WriteAsync($"{name} as {plain.Request.Host} {plain.Request.Path}")))(context);
        });
        await app.StartAsync(stop);
        return server;
    }

    /// <summary>As the Pod of a Service whose ports are named http and grpc.</summary>
    public ToldPod AsPod() => new(Name, "127.0.0.1", ("http", Port), ("grpc", GrpcPort), ("admin", Port));

    /// <summary>As a process that ends in order: who is connected is told so.</summary>
    public Task StopAsync(CancellationToken stop) => _app.StopAsync(stop);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private int PortAt(int index) => new Uri(_app.Urls.ElementAt(index)).Port;

    private sealed class Cook(string name) : Kitchen.KitchenBase
    {
        public override Task<Bowl> Serve(Order request, ServerCallContext context) => Task.FromResult(new Bowl { Cook = name });
    }
}
