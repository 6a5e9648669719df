using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>Carries exchanges with YARP's forwarder over HTTP/1.1.</summary>
internal sealed class YarpCarrier : IHttpCarrier
{
    // YARP has one limit of silence for all of an exchange, and no word for none; the deadline has the part that is wanted.
    private static readonly TimeSpan Unlimited = TimeSpan.FromDays(20);

    private readonly IngressOptions _options;
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;
    private readonly IHttpForwarder _forwarder;
    private readonly EndpointPools _pools;
    private readonly ForwarderRequestConfig _plain;
    private readonly ForwarderRequestConfig _tunnel;

    public YarpCarrier(Published<RoutingSnapshot> routes, IngressOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        // YARP makes its forwarder through a container only; its own log lines are dropped, as each failure is logged here.
        _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
        _pools = new EndpointPools(routes, options, time);
        _plain = new ForwarderRequestConfig { ActivityTimeout = Unlimited, Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        _tunnel = _plain with { ActivityTimeout = options.TunnelIdleTimeout };
    }

    public ValueTask<CarryOutcome> CarryAsync(Exchange exchange, Target target)
    {
        var pool = _pools.For(exchange.Service!, target);
        return pool.IsKept ? CarryAsync(exchange, pool) : CarryOnceAsync(exchange, pool);
    }

    private async ValueTask<CarryOutcome> CarryOnceAsync(Exchange exchange, EndpointPool pool)
    {
        using (pool)
        {
            return await CarryAsync(exchange, pool);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<CarryOutcome> CarryAsync(Exchange exchange, EndpointPool pool)
    {
        var deadline = exchange.Deadline ??= new AnswerDeadline(_options.AnswerTimeout, _time);
        exchange.Transformer.Begin(pool, deadline);
        var config = exchange.IsUpgrade ? _tunnel : _plain;
        // The client's going ends it too: YARP follows that by itself.
        ForwarderError error;
        try
        {
            error = await _forwarder.SendAsync(exchange.Http, pool.Prefix, pool.Invoker, config, exchange.Transformer, deadline.Begin());
        }
        finally
        {
            exchange.Transformer.End();
        }

        deadline.End();
        if (error == ForwarderError.None)
        {
            return exchange.Transformer.Cut is { } cut ? Cut(exchange, cut) : CarryOutcome.Answered.Instance;
        }

        if (!exchange.Http.Response.HasStarted)
        {
            exchange.Http.Response.Clear(); // YARP has set its own status
        }

        if (exchange.Transformer.Unsendable is { } unsendable)
        {
            return new CarryOutcome.BadRequest(unsendable);
        }

        if (deadline.HasPassed)
        {
            return deadline.AwaitsClient
                ? new CarryOutcome.BadRequest(Refusal.Of(RefusalReason.RequestTimeout, $"no byte of the request's body came for {_options.AnswerTimeout.TotalSeconds} s"))
                : CarryOutcome.TimedOut.Instance;
        }

        return Outcome(error, exchange.Http);
    }

    public bool IsPassedOver(NamespacedName service, Target target, bool mayTry, out bool isNews)
    {
        isNews = false;
        return _pools.SilenceOf(service, target)?.IsPassedOver(mayTry, out isNews) == true;
    }

    public void Retain(NamespacedName service, ImmutableHashSet<EndpointKey> usable) => _pools.Retain(service, usable);

    public void Dispose()
    {
        _pools.Dispose();
        _services.Dispose();
    }

    private static CarryOutcome Cut(Exchange exchange, Exception cause) =>
        exchange.Http.RequestAborted.IsCancellationRequested ? CarryOutcome.ClientGone.Instance : new CarryOutcome.BadAnswer(cause.GetBaseException().Message);

    private static CarryOutcome Outcome(ForwarderError error, HttpContext http)
    {
        var cause = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        return error switch
        {
            ForwarderError.RequestTimedOut => CarryOutcome.TimedOut.Instance,
            ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.ResponseBodyCanceled
                or ForwarderError.ResponseBodyClient => CarryOutcome.ClientGone.Instance,
            ForwarderError.RequestBodyClient => Body(cause),
            ForwarderError.UpgradeRequestCanceled or ForwarderError.UpgradeRequestClient or ForwarderError.UpgradeRequestDestination
                or ForwarderError.UpgradeResponseCanceled or ForwarderError.UpgradeResponseClient
                or ForwarderError.UpgradeResponseDestination or ForwarderError.UpgradeActivityTimeout when http.Response.HasStarted => CarryOutcome.Answered.Instance,
            _ => Failure(cause),
        };
    }

    /// <summary>What is wrong with a body the strict reader finds first; all that is left to go wrong is that it ends too early.</summary>
    private static CarryOutcome Body(Exception? cause) => Find<MalformedBodyException>(cause) is { } malformed
        ? new CarryOutcome.BadRequest(malformed.Refusal)
        : CarryOutcome.ClientGone.Instance;

    private static CarryOutcome Failure(Exception? cause)
    {
        if (Find<NotConnectedException>(cause) is { } refused)
        {
            return new CarryOutcome.NotConnected(refused.Message, refused.TimedOut);
        }

        if (Find<NoRoomException>(cause) is { } full)
        {
            return new CarryOutcome.NoRoom(full.Message);
        }

        if (Find<RetiredException>(cause) is not null)
        {
            return CarryOutcome.Retired.Instance;
        }

        return Find<NoAnswerException>(cause) is { } silent
            ? new CarryOutcome.NotAnswered(silent.Message)
            : new CarryOutcome.BadAnswer(cause?.GetBaseException().Message ?? "no answer");
    }

    private static T? Find<T>(Exception? cause)
        where T : Exception => cause switch
        {
            null => null,
            T found => found,
            AggregateException many => many.InnerExceptions.Select(Find<T>).FirstOrDefault(found => found is not null),
            _ => Find<T>(cause.InnerException),
        };
}
