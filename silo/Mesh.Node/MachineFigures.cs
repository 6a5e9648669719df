using Mesh.Hosting.Telemetry;
using Mesh.NodeLink.NodeEnd;
using Microsoft.AspNetCore.Http;

namespace Mesh.Node;

/// <summary>The page at <c>/metrics</c>: the figures of this machine's two processes, or of the node alone while the silo is away.</summary>
internal static class MachineFigures
{
    private const int Askers = 8; // whoever reaches the listener may ask, and a page can be of megabytes

    /// <summary>Whoever does not take its page by then is cut off, or eight of them would keep it from everybody.</summary>
    private static readonly TimeSpan TakenWithin = TimeSpan.FromSeconds(10);

    private static readonly SemaphoreSlim Places = new(Askers);

    /// <summary>One page is made at a time; the others wait for theirs.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    /// <param name="own">Null: telemetry is switched off, and there is no page.</param>
    public static RequestDelegate? Page(RequestDelegate? own, SiloFigures silo) => own is null ? null : async context =>
    {
        if (!Places.Wait(0))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync($"{Askers} others are getting this page already; ask again in a second.\n", context.RequestAborted);
            return;
        }

        try
        {
            var page = await MakeAsync(own, silo, context.RequestAborted);
            context.Response.ContentType = PrometheusPage.ContentType;
            using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            late.CancelAfter(TakenWithin);
            await context.Response.WriteAsync(page, late.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        finally
        {
            Places.Release();
        }
    };

    private static async Task<string> MakeAsync(RequestDelegate own, SiloFigures silo, CancellationToken stop)
    {
        await Turn.WaitAsync(stop);
        try
        {
            var (theirs, ours) = (silo.ReadAsync(stop), PrometheusPage.ReadAsync(own, stop));
            await Task.WhenAll((Task)theirs, ours); // whichever fails, the other is not left behind
            return await theirs is { } page ? PrometheusText.Merge(await ours, page) : await ours;
        }
        finally
        {
            Turn.Release();
        }
    }
}
