using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>Ties Kestrel to the pipeline, with no framework between; an exchange stays with its connection.</summary>
internal sealed class IngressApplication(IngressPipeline pipeline, IngressOptions options, TimeProvider time, ILogger log) : IHttpApplication<Exchange>
{
    public Exchange CreateContext(IFeatureCollection contextFeatures)
    {
        var container = contextFeatures as IHostContextContainer<Exchange>;
        var exchange = container?.HostContext ?? new Exchange(options.GatewayId);
        if (container is not null)
        {
            container.HostContext = exchange;
        }

        exchange.Begin(contextFeatures, time.GetTimestamp());
        DataPlaneMetrics.RequestStarted();
        return exchange;
    }

    public Task ProcessRequestAsync(Exchange context) => pipeline.HandleAsync(context);

    public void DisposeContext(Exchange context, Exception? exception)
    {
        if (exception is not null and not OperationCanceledException and not IOException)
        {
            DataPlaneLog.RequestFailed(log, exception);
        }

        context.End();
    }
}
