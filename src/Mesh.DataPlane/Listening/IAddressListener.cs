using System.Net;

namespace Mesh.DataPlane.Listening;

/// <summary>Listens on one address of the machine; disposing it cuts what is under way.</summary>
public interface IAddressListener : IAsyncDisposable
{
    /// <summary>With the port that was chosen.</summary>
    IPEndPoint Address { get; }

    /// <summary>Accepts nothing more; completes when the address is free. What is under way goes on.</summary>
    Task CloseAsync();

    /// <summary>The same, and lets what is under way end, until the token is cancelled.</summary>
    Task StopAsync(CancellationToken deadline);
}
