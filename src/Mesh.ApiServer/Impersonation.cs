using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer;

/// <summary>
/// Refuses whoever asks to be taken for somebody else. There is one user, who may do everything: to answer such a request
/// as that user would tell a lie ("bob may"), and give a tool the rights that it meant to drop.
/// </summary>
internal sealed class Impersonation(RequestDelegate next, ILogger<Impersonation> log)
{
    // Impersonate-User, -Group, -Uid and -Extra-…, and whatever a later Kubernetes adds.
    private const string Prefix = "Impersonate-";

    public Task InvokeAsync(HttpContext context)
    {
        foreach (var header in context.Request.Headers)
        {
            if (header.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                log.Impersonating(context.Request.Method, context.Request.Path.Value ?? "", header.Key);
                return RefuseAsync(context);
            }
        }

        return next(context);
    }

    private static Task RefuseAsync(HttpContext context)
    {
        var refusal = ApiStatus.Impersonation();
        if (!context.Request.Headers.Accept.ToString().Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal))
        {
            return Responses.WriteAsync(context, refusal, context.RequestAborted);
        }

        // What kubectl discovers with reads no Status, and prints "unknown" for one; a text it prints as it is.
        context.Response.StatusCode = refusal.Code;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(refusal.Message, context.RequestAborted);
    }
}
