namespace Mesh.ApiServer.Requests;

/// <summary>Nobody reads what a watch tells any more: nothing further is made for it.</summary>
internal sealed class WatchAbandonedException() : Exception("The client has closed the connection.");
