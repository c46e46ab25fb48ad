# The course in a container, for Docker, Binder, a dev container and Zero to JupyterHub alike.
#
#   docker build --tag oraledu .
#   docker run --rm --publish 127.0.0.1:8888:8888 --volume oraledu-work:/home/learner/work oraledu
FROM python:3.11-slim-bookworm

# Binder says with this number who runs it.
ARG NB_UID=1000
RUN useradd --create-home --uid "${NB_UID}" learner

COPY . /course
WORKDIR /course
# The versions of the lock; PyTorch in the build for processors, as an image with CUDA is several GB larger.
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv pip install --system --no-cache --torch-backend cpu --constraint constraints.txt '.[hub]' \
    && cp -r oraledu/app/labconfig /usr/local/etc/jupyter/

ENV HOME=/home/learner OMP_NUM_THREADS=1
WORKDIR /home/learner
USER ${NB_UID}
# Fills the folder `work`, opens a lesson and starts its kernel: an image that cannot do this is not built.
RUN oraledu lab work --check

# Inside the container all addresses, so that the published port is reached; outside it, as --publish says.
EXPOSE 8888
CMD ["oraledu", "lab", "work", "--ip", "0.0.0.0", "--port", "8888", "--no-browser"]
