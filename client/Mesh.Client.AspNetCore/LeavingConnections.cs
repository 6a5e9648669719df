using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Mesh.Client.AspNetCore;

/// <summary>
/// While the Pod leaves, each answer closes its connection: a client that keeps one (through a ClusterIP it is a connection
/// to this process) makes the next where the Service routes now, instead of meeting the end of the server.
/// </summary>
internal sealed class LeavingConnections : IStartupFilter
{
    private readonly IMeshRegistration _registration;
    private readonly IHostApplicationLifetime _host;
    private readonly Func<object, Task> _closing;

    public LeavingConnections(IMeshRegistration registration, IHostApplicationLifetime host)
    {
        _registration = registration;
        _host = host;
        _closing = context => CloseAsync((HttpContext)context); // made once: nothing is allocated for a request
    }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(before => context =>
        {
            // HTTP/2 and HTTP/3 have no such field; Kestrel sends GOAWAY.
            if (HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.OnStarting(_closing, context);
            }

            return before(context);
        });
        next(app);
    };

    private Task CloseAsync(HttpContext context)
    {
        if (Leaves() && context.Response.StatusCode != StatusCodes.Status101SwitchingProtocols)
        {
            context.Response.Headers.Connection = "close";
        }

        return Task.CompletedTask;
    }

    /// <summary>A process whose Pod was deleted may live on, and serve its own clients as before.</summary>
    private bool Leaves() => _registration.State == MeshPodState.Draining
        || (_registration.Registered.IsCompletedSuccessfully && _host.ApplicationStopping.IsCancellationRequested);
}
