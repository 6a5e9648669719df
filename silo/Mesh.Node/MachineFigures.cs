using Mesh.Hosting.Telemetry;
using Mesh.NodeLink.NodeEnd;
using Microsoft.AspNetCore.Http;

namespace Mesh.Node;

/// <summary>The page at <c>/metrics</c>: the figures of this machine's two processes, or of the node alone while the silo is away.</summary>
internal static class MachineFigures
{
    /// <param name="own">Null: telemetry is switched off, and there is no page.</param>
    public static RequestDelegate? Page(RequestDelegate? own, SiloFigures silo) => own is null ? null : async context =>
    {
        var stop = context.RequestAborted;
        var theirs = silo.ReadAsync(stop);
        var ours = await PrometheusPage.ReadAsync(own, stop);
        context.Response.ContentType = PrometheusPage.ContentType;
        await context.Response.WriteAsync(await theirs is { } page ? PrometheusText.Merge(ours, page) : ours, stop);
    };
}
