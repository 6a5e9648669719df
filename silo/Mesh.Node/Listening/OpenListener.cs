using Mesh.Agent.Http;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Listening;

namespace Mesh.Node.Listening;

/// <summary>What listens for one option, whatever it is.</summary>
/// <param name="CloseAsync">Accepts nothing more; completes when the address is free. What is under way goes on.</param>
/// <param name="DrainAsync">Once it is closed: completes when everything under way has ended, at the latest soon after the token is cancelled.</param>
/// <param name="DisposeAsync">Once it is drained, or to cut what is under way.</param>
internal sealed record OpenListener(Func<Task> CloseAsync, Func<CancellationToken, Task> DrainAsync, Func<ValueTask> DisposeAsync)
{
    public static OpenListener Of(IngressGateway gateway) => new(gateway.CloseAsync, gateway.StopAsync, gateway.DisposeAsync);

    /// <summary>A query is answered as soon as it is read: nothing is under way.</summary>
    public static OpenListener Of(AddressListeners names) => new(names.CloseAsync, names.StopAsync, names.DisposeAsync);

    /// <summary>Its streams are the leases of Pods: they go on until their processes end.</summary>
    public static OpenListener Of(RegistrationServer registrations) => new(registrations.CloseAsync, registrations.StopAsync, registrations.DisposeAsync);
}
