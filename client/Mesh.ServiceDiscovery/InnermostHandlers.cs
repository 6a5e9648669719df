using Microsoft.Extensions.Http;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Has what a client adds for itself stand around the handlers of Mesh: defaults are added before it, so they would be
/// around it, and its retries would go to the one Pod that was picked. The handler that logs each request stays the innermost.
/// </summary>
internal sealed class InnermostHandlers : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        Move(builder.AdditionalHandlers);
    };

    private static void Move(IList<DelegatingHandler> handlers)
    {
        var first = handlers.ToList().FindIndex(handler => handler is ResendHandler);
        if (first < 0 || handlers.Count < first + 3 || handlers[first + 2] is not AttemptHandler)
        {
            // The client was made to do without them.
            return;
        }

        var (resend, pick, attempt) = (handlers[first], handlers[first + 1], handlers[first + 2]);
        for (var index = handlers.Count - 1; index >= 0; index--)
        {
            // One that the client added as well would pick before them, and leave them one Pod.
            if ((index >= first && index <= first + 2) || handlers[index].GetType() == pick.GetType())
            {
                handlers.RemoveAt(index);
            }
        }

        handlers.Add(resend);
        handlers.Add(pick);
        handlers.Add(attempt);
    }
}
