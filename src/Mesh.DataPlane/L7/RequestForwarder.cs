using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Mesh.Core;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Carrier;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.DataPlane.L7;

/// <summary>
/// Brings a request to an endpoint, and to another one where nothing can be done twice by it: when the first took no
/// connection, or when it gave no byte of an answer to a GET, HEAD or OPTIONS without body (RFC 9110 §9.2.2).
/// </summary>
internal sealed class RequestForwarder(
    Published<RoutingSnapshot> routes, IHttpCarrier carrier, IngressOptions options, ISuspects suspects, EndpointPick pick, SeldomLines lines)
{
    /// <summary>Where more than so many in a row are silent, one of them may get the request.</summary>
    private const int MostPassedOver = 8;

    /// <summary>Null when the endpoint's answer was passed on.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Refusal?> ForwardAsync(Exchange exchange, PortRoute port)
    {
        var order = pick.Order(port.Usable);
        PassOver(exchange, port.Usable, ref order);
        var next = order.Next();
        var resent = false;
        while (true)
        {
            var target = exchange.Target = next!;
            exchange.Attempts++;
            var outcome = await AttemptAsync(exchange, target);
            if (outcome is CarryOutcome.NotConnected refused)
            {
                suspects.Refused(target.Endpoint, target.Address);
                DataPlaneMetrics.ConnectFailed(exchange.Service!);
                lines.EndpointRefused(exchange.Service!, target, refused.Detail);
            }

            if (outcome is CarryOutcome.Answered)
            {
                return null;
            }

            next = Another(outcome, exchange, port, ref order, ref resent);
            if (next is null)
            {
                return Refuse(outcome, target, exchange.Attempts);
            }

            DataPlaneMetrics.Retried(exchange.Service!, outcome is CarryOutcome.NotAnswered ? "no_answer" : "not_connected");
        }
    }

    /// <summary>Begins with an endpoint that answers, if one of the next few does; those that do not are the last to be tried.</summary>
    private void PassOver(Exchange exchange, ImmutableArray<Target> usable, ref EndpointOrder order)
    {
        if (usable.Length < 2)
        {
            return;
        }

        var service = exchange.Service!;
        for (var ahead = 0; ahead < Math.Min(usable.Length, MostPassedOver); ahead++)
        {
            var target = order.Ahead(ahead);
            // What finds out whether a silent one answers again must be what another one can get when it does not.
            if (!carrier.IsPassedOver(service, target, MayBeSentTwice(exchange.Http), out var isNews))
            {
                order.BeginAt(ahead);
                return;
            }

            if (isNews)
            {
                suspects.Silent(target.Endpoint, target.Address);
                lines.EndpointSilent(service, target);
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<CarryOutcome> AttemptAsync(Exchange exchange, Target target)
    {
        using var span = exchange.AttemptSpan = IngressTracing.StartAttempt(exchange, target);
        var outcome = await carrier.CarryAsync(exchange, target);
        IngressTracing.EndAttempt(span, exchange, target, outcome);
        exchange.AttemptSpan = null;
        return outcome;
    }

    private Target? Another(CarryOutcome outcome, Exchange exchange, PortRoute port, ref EndpointOrder order, ref bool resent)
    {
        if (exchange.Attempts >= options.MaxAttempts || exchange.Http.RequestAborted.IsCancellationRequested)
        {
            return null;
        }

        switch (outcome)
        {
            case CarryOutcome.NotConnected or CarryOutcome.Retired:
                return order.Next() ?? order.Next(pick, Newest(exchange, port));
            case CarryOutcome.NotAnswered when !resent && MayBeSentTwice(exchange.Http):
                resent = true;
                // The only endpoint gets it again on a new connection: the old one may have been closed for being idle.
                return order.Next() ?? order.Next(pick, Newest(exchange, port)) ?? exchange.Target;
            default:
                return null;
        }
    }

    /// <summary>The endpoints of the port that are usable by now; none when it is gone.</summary>
    private ImmutableArray<Target> Newest(Exchange exchange, PortRoute port)
    {
        if (routes.Current.Services.TryGetValue(exchange.Service!, out var route))
        {
            foreach (var candidate in route.Ports)
            {
                if (candidate.Port.Port == port.Port.Port && candidate.Port.Name == port.Port.Name)
                {
                    return candidate.Usable;
                }
            }
        }

        return [];
    }

    private static bool MayBeSentTwice(HttpContext http) =>
        (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || HttpMethods.IsOptions(http.Request.Method))
        && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };

    /// <summary>What an attempt that brought no answer is to those who asked.</summary>
    internal static Refusal Refuse(CarryOutcome outcome, Target target, int attempts)
    {
        var pod = $"Pod {target.Endpoint.Pod} ({target.Address})";
        var tried = attempts > 1 ? $" (after {attempts} attempts)" : "";
        return outcome switch
        {
            CarryOutcome.NotConnected { IsTimeout: true } silent => Refusal.Of(RefusalReason.ConnectFailed, $"{pod}: {silent.Detail}{tried}") with { Status = StatusCodes.Status504GatewayTimeout },
            CarryOutcome.NotConnected refused => Refusal.Of(RefusalReason.ConnectFailed, $"{pod}: {refused.Detail}{tried}"),
            CarryOutcome.NoRoom full => Refusal.Of(RefusalReason.Overloaded, full.Detail),
            CarryOutcome.Retired => Refusal.Of(RefusalReason.UpstreamFailed, $"{pod} is no longer an endpoint{tried}"),
            CarryOutcome.NotAnswered silent => Refusal.Of(RefusalReason.UpstreamFailed, $"{pod} gave no answer: {silent.Detail}{tried}"),
            CarryOutcome.BadAnswer bad => Refusal.Of(RefusalReason.UpstreamFailed, $"{pod} gave no valid answer: {bad.Detail}{tried}"),
            CarryOutcome.TimedOut => Refusal.Of(RefusalReason.UpstreamTimeout, $"{pod} did not answer in time{tried}"),
            CarryOutcome.ClientGone => Refusal.Of(RefusalReason.ClientGone, "the client closed the connection"),
            CarryOutcome.BadRequest wrong => wrong.Refusal,
            _ => throw new UnreachableException(),
        };
    }
}
