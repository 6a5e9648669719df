using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Mesh.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer;

/// <summary>The boundary of a request: what nobody foresaw is logged once and answered 500.</summary>
internal sealed class Unhandled(RequestDelegate next, ILogger<Unhandled> log)
{
#pragma warning disable CA1031 // the last place that can answer the client
    public async Task InvokeAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The client is gone: there is nobody to answer.
        }
        catch (StoreUnavailableException silent) when (!context.Response.HasStarted)
        {
            await Responses.WriteAsync(context, ApiStatus.Unavailable(silent.Message), stop);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            await Responses.WriteAsync(context, ApiStatus.BadRequest(bad.Message) with { Code = bad.StatusCode }, stop);
        }
        catch (Exception unforeseen)
        {
            log.Failed(unforeseen, context.Request.Method, context.Request.Path.Value ?? "");
            if (context.Response.HasStarted)
            {
                context.Abort(); // a cut answer must not look whole
                return;
            }

            await Responses.WriteAsync(context, ApiStatus.Internal(unforeseen.Message), stop);
        }
    }
#pragma warning restore CA1031
}
